import CGraftKernels
import GraftTensor

/// s = x + residual;  y = γ ∘ s / √(mean(s²) + ε) (Zhang and Sennrich 2019), each row on its own.
///
/// x, residual, s, y [m, width]; γ [width].
package final class RMSNorm: @unchecked Sendable {
    package struct Kept: BitwiseCopyable {
        let sum: Matrix
        let inverseRoot: UnsafeMutablePointer<Float>
    }

    private let scale: Memory
    private let width: Int
    private let epsilon: Float
    private let site: Int
    private let unit: Pass.Unit

    package init(scale: Memory, width: Int, epsilon: Float, site: Int, unit: Pass.Unit) {
        self.scale = scale
        self.width = width
        self.epsilon = epsilon
        self.site = site
        self.unit = unit
    }

    /// `residual` and `sum` come together: the norm of x + residual, which `sum` receives. Without them, of x. Where
    /// `keeps`, what was normed must stay as it is until backward.
    package func forward(
        _ x: Matrix, adding residual: (x: Matrix, sum: Matrix)? = nil, into y: Matrix, keeps: Bool, pass: Pass
    ) throws(GraftError) -> Kept? {
        let inverseRoot = keeps ? try pass.kept.allocate(Float.self, count: x.rows) : nil
        pass.eachRange(at: site, unit) { first, count, adapter in
            let offset = first * width
            gk_rms_norm_forward(
                pass.team.kernel, Int64(count), Int64(width), x.base + offset, residual.map { $0.x.base + offset },
                scaleValues(adapter), epsilon, residual.map { $0.sum.base + offset }, y.base + offset,
                inverseRoot.map { $0 + first })
        }
        return inverseRoot.map { Kept(sum: residual?.sum ?? x, inverseRoot: $0) }
    }

    /// y once more, from what forward kept.
    package func again(_ kept: Kept, into y: Matrix, pass: Pass) throws(GraftError) {
        _ = try forward(kept.sum, into: y, keeps: false, pass: pass)
    }

    /// ds, the gradient of the sum, from dy; ds may be dy. Adds to the gradient of an adapter's own γ.
    package func backward(_ dy: Matrix, _ kept: Kept, into ds: Matrix, pass: Pass) {
        pass.eachRange(at: site, unit) { first, count, adapter in
            let offset = first * width
            let own = adapter?.at(site)?.weight
            gk_rms_norm_backward(
                pass.team.kernel, Int64(count), Int64(width), dy.base + offset, kept.sum.base + offset,
                kept.inverseRoot + first, scaleValues(adapter), ds.base + offset,
                own.flatMap { own in adapter?.gradients.map { $0 + own.offset } })
        }
    }

    /// Whether an adapter of this pass learns its own γ.
    package func learns(_ pass: Pass) -> Bool {
        pass.segments.contains { $0.adapter?.gradients != nil && $0.adapter?.at(site)?.weight != nil }
    }

    private func scaleValues(_ adapter: AttachedAdapter?) -> UnsafePointer<Float> {
        guard let adapter, let own = adapter.at(site)?.weight else { return UnsafePointer(scale.floats()) }
        return UnsafePointer(adapter.values + own.offset)
    }
}
