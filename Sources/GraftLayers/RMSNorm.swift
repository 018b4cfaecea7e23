import CGraftKernels
import GraftTensor

/// y = γ ∘ x / √(mean(x²) + ε) (Zhang and Sennrich 2019), each row on its own; x, y [m, width], γ
/// [width].
package final class RMSNorm: @unchecked Sendable {
    package struct Kept: BitwiseCopyable {
        let x: Matrix
        let inverseRoot: UnsafeMutablePointer<Float>
    }

    private let scale: Memory
    private let width: Int
    private let epsilon: Float
    let site: Int
    private let unit: Pass.Unit

    package init(scale: Memory, width: Int, epsilon: Float, site: Int, unit: Pass.Unit) {
        self.scale = scale
        self.width = width
        self.epsilon = epsilon
        self.site = site
        self.unit = unit
    }

    /// Where `keeps`, x must stay as it is until backward.
    package func forward(_ x: Matrix, into y: Matrix, keeps: Bool, pass: Pass) throws(GraftError) -> Kept? {
        let inverseRoot = keeps ? try pass.kept.allocate(Float.self, count: x.rows) : nil
        pass.eachRange(at: site, unit) { first, count, adapter in
            let offset = first * width
            gk_rms_norm_forward(
                pass.team.kernel, Int64(count), Int64(width), x.base + offset, nil, scaleValues(adapter), epsilon, nil,
                y.base + offset, inverseRoot.map { $0 + first })
        }
        return inverseRoot.map { Kept(x: x, inverseRoot: $0) }
    }

    /// dx from dy; dx may be dy. Adds to the gradient of an adapter's own γ.
    package func backward(_ dy: Matrix, _ kept: Kept, into dx: Matrix, pass: Pass) {
        pass.eachRange(at: site, unit) { first, count, adapter in
            let offset = first * width
            gk_rms_norm_backward(
                pass.team.kernel, Int64(count), Int64(width), dy.base + offset, kept.x.base + offset,
                kept.inverseRoot + first, scaleValues(adapter), dx.base + offset,
                adapter?.at(site)?.weight?.gradients)
        }
    }

    private func scaleValues(_ adapter: AttachedAdapter?) -> UnsafePointer<Float> {
        UnsafePointer(adapter?.at(site)?.weight?.values ?? scale.floats())
    }
}
