import CGraftKernels
import GraftTensor

/// s = dropout(x) + residual;  y = γ ∘ (s - mean) / √(variance + ε) + β (Ba et al. 2016), each row
/// on its own.
///
/// x, residual, y [m, width]; γ, β [width].
package final class LayerNorm: @unchecked Sendable {
    package struct Kept: BitwiseCopyable {
        package let sum: Matrix
        let mean: UnsafeMutablePointer<Float>
        let inverseDeviation: UnsafeMutablePointer<Float>

        init(sum: Matrix?, rows: Int, width: Int, _ pass: Pass) throws(GraftError) {
            self.sum = if let sum { sum } else { try pass.kept.matrix(rows: rows, columns: width) }
            mean = try pass.kept.allocate(Float.self, count: rows)
            inverseDeviation = try pass.kept.allocate(Float.self, count: rows)
        }
    }

    private let scale: Memory
    private let bias: Memory
    private let width: Int
    private let epsilon: Float
    let site: Int
    private let unit: Pass.Unit

    package init(scale: Memory, bias: Memory, width: Int, epsilon: Float, site: Int, unit: Pass.Unit) {
        self.scale = scale
        self.bias = bias
        self.width = width
        self.epsilon = epsilon
        self.site = site
        self.unit = unit
    }

    /// The same module for rows of another unit.
    package func with(unit: Pass.Unit) -> LayerNorm {
        LayerNorm(scale: scale, bias: bias, width: width, epsilon: epsilon, site: site, unit: unit)
    }

    /// y may be x. Keeps the sum where `keeps`: x itself where it is the sum and
    /// `staysUntilBackward`, else a copy.
    package func forward(
        _ x: Matrix, residual: Matrix? = nil, dropout: gk_dropout? = nil, into y: Matrix,
        staysUntilBackward: Bool = false, keeps: Bool, pass: Pass
    ) throws(GraftError) -> Kept? {
        let sum = staysUntilBackward ? x : nil
        let kept = keeps ? try Kept(sum: sum, rows: x.rows, width: width, pass) : nil
        pass.eachRange(at: site, unit) { first, count, adapter in
            forward(x, residual, dropout, first: first, count: count, adapter, into: y, kept, pass)
        }
        return kept
    }

    /// The same for rows of one segment alone, whose adapter `context` has.
    package func forward(
        _ x: Matrix, residual: Matrix?, into y: Matrix, keeps: Bool, _ context: SiteContext
    ) throws(GraftError) -> Kept? {
        let kept = keeps ? try Kept(sum: nil, rows: x.rows, width: width, context.pass) : nil
        forward(x, residual, nil, first: 0, count: x.rows, context.adapter, into: y, kept, context.pass)
        return kept
    }

    private func forward(
        _ x: Matrix, _ residual: Matrix?, _ dropout: gk_dropout?, first: Int, count: Int, _ adapter: AttachedAdapter?,
        into y: Matrix, _ kept: Kept?, _ pass: Pass
    ) {
        let offset = first * width
        var dropout = dropout
        dropout?.first_element += UInt64(offset)
        withOptionalPointer(dropout) { dropout in
            gk_layer_norm_forward(
                pass.team.kernel, Int64(count), Int64(width), x.base + offset, dropout,
                residual.map { UnsafePointer($0.base + offset) }, scaleValues(adapter), biasValues(adapter), epsilon,
                kept.flatMap { $0.sum.base == x.base ? nil : $0.sum.base + offset }, y.base + offset,
                kept.map { $0.mean + first },
                kept.map { $0.inverseDeviation + first })
        }
    }

    /// ds, the gradient of the sum, from dy; ds may be dy. Adds to the gradients of an adapter's
    /// own γ and β.
    package func backward(_ dy: Matrix, _ kept: Kept, into ds: Matrix, pass: Pass) {
        pass.eachRange(at: site, unit) { first, count, adapter in
            backward(dy, kept, first: first, count: count, adapter, into: ds, pass)
        }
    }

    /// The same for rows of one segment alone.
    package func backward(_ dy: Matrix, _ kept: Kept, into ds: Matrix, _ context: SiteContext) {
        backward(dy, kept, first: 0, count: dy.rows, context.adapter, into: ds, context.pass)
    }

    private func backward(
        _ dy: Matrix, _ kept: Kept, first: Int, count: Int, _ adapter: AttachedAdapter?, into ds: Matrix, _ pass: Pass
    ) {
        let offset = first * width
        let own = adapter?.at(site)
        gk_layer_norm_backward(
            pass.team.kernel, Int64(count), Int64(width), dy.base + offset, kept.sum.base + offset, kept.mean + first,
            kept.inverseDeviation + first, scaleValues(adapter), ds.base + offset, own?.weight?.gradients,
            own?.bias?.gradients)
    }

    private func scaleValues(_ adapter: AttachedAdapter?) -> UnsafePointer<Float> {
        UnsafePointer(adapter?.at(site)?.weight?.values ?? scale.floats())
    }

    private func biasValues(_ adapter: AttachedAdapter?) -> UnsafePointer<Float> {
        UnsafePointer(adapter?.at(site)?.bias?.values ?? bias.floats())
    }
}
