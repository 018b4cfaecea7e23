import CGraftKernels
import GraftTensor

/// y = γ ∘ x / √(mean(x²) + ε) (Zhang and Sennrich 2019), each row on its own, or each head of a
/// row; x, y [m, heads · width], γ [width]. Where it is around one, 1 + γ stands for γ (Gemma).
package final class RMSNorm: @unchecked Sendable {
    package struct Kept: BitwiseCopyable {
        let x: Matrix
        let inverseRoot: UnsafeMutablePointer<Float>
    }

    /// What all norms of a model have alike.
    package struct Settings: Sendable {
        package let epsilon: Float
        let unit: Float

        /// - Parameter isAroundOne: whether γ says by how much the scale differs from 1.
        package init(epsilon: Float, isAroundOne: Bool = false) {
            self.epsilon = epsilon
            unit = isAroundOne ? 1 : 0
        }
    }

    private let scale: Memory
    /// Of what is normed at once.
    private let width: Int
    private let headCount: Int
    private let settings: Settings
    let site: Int
    private let unit: Pass.Unit

    package init(
        scale: Memory, width: Int, headCount: Int = 1, _ settings: Settings, site: Int, unit: Pass.Unit
    ) {
        self.scale = scale
        self.width = width
        self.headCount = headCount
        self.settings = settings
        self.site = site
        self.unit = unit
    }

    /// Where `keeps`, x must stay as it is until backward. Rows of y stand end to end.
    package func forward(_ x: Matrix, into y: Matrix, keeps: Bool, pass: Pass) throws(GraftError) -> Kept? {
        let inverseRoot = keeps ? try pass.kept.allocate(Float.self, count: x.rows * headCount) : nil
        pass.eachRange(at: site, unit) { first, count, adapter in
            gk_rms_norm_forward(
                pass.team.kernel, Int64(count * headCount), Int64(width), Int64(headCount), x.base + first * x.stride,
                Int64(x.stride), scaleValues(adapter), settings.unit, settings.epsilon, y.base + first * y.stride,
                inverseRoot.map { $0 + first * headCount })
        }
        return inverseRoot.map { Kept(x: x, inverseRoot: $0) }
    }

    /// dx from dy, whose rows stand end to end; dx may be dy. Adds to the gradient of an adapter's
    /// own γ.
    package func backward(_ dy: Matrix, _ kept: Kept, into dx: Matrix, pass: Pass) {
        pass.eachRange(at: site, unit) { first, count, adapter in
            gk_rms_norm_backward(
                pass.team.kernel, Int64(count * headCount), Int64(width), Int64(headCount),
                dy.base + first * dy.stride, kept.x.base + first * kept.x.stride, Int64(kept.x.stride),
                kept.inverseRoot + first * headCount, scaleValues(adapter), settings.unit,
                dx.base + first * dx.stride, Int64(dx.stride), adapter?.at(site)?.weight?.gradients)
        }
    }

    private func scaleValues(_ adapter: AttachedAdapter?) -> UnsafePointer<Float> {
        UnsafePointer(adapter?.at(site)?.weight?.values ?? scale.floats())
    }
}
