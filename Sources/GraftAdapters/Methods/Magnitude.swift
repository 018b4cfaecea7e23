import CGraftKernels
import GraftLayers
import GraftTensor

/// Learned lengths m of the rows of a changed weight V (Liu et al. 2024, eq. 5): row i of V is
/// multiplied by m[i] / ‖V[i]‖.
///
/// The lengths of V follow from the adapter's numbers; backward takes them for constant (section
/// 4.3).
struct Magnitude: Sendable {
    private let parameter: Parameter
    private let lengths: DerivedNumbers

    init(_ parameter: Parameter, lengths: DerivedNumbers) {
        self.parameter = parameter
        self.lengths = lengths
    }

    func lengths(
        _ context: SiteContext, compute: (UnsafeMutablePointer<Float>) throws(GraftError) -> Void
    ) throws(GraftError) -> UnsafePointer<Float> {
        try lengths.values(context, compute: compute)
    }

    /// y = x ∘ m / lengths; y may be x.
    func scale(
        _ x: Matrix, lengths: UnsafePointer<Float>, into y: Matrix, _ context: SiteContext
    ) throws(GraftError) {
        let scratch = context.pass.scratch
        let mark = scratch.mark
        defer { scratch.rewind(to: mark) }
        let factors = try scratch.allocate(Float.self, count: parameter.count)
        gk_divide(Int64(parameter.count), context.values(parameter), lengths, factors)
        gk_scale_columns(
            context.pass.team.kernel, Int64(x.rows), Int64(x.columns), x.base, Int64(x.stride), factors, y.base,
            Int64(y.stride))
    }

    /// dm += Σ dy ∘ v / lengths over the rows, where v ∘ m / lengths was the output.
    func addGradient(
        _ dy: Matrix, _ v: Matrix, lengths: UnsafePointer<Float>, _ context: SiteContext
    ) throws(GraftError) {
        guard let gradient = context.gradients(parameter) else { return }
        let scratch = context.pass.scratch
        let mark = scratch.mark
        defer { scratch.rewind(to: mark) }
        let sums = try context.columnProducts(dy, v)
        gk_divide(Int64(parameter.count), sums, lengths, sums)
        gk_add(context.pass.team.kernel, Int64(parameter.count), 1, sums, gradient)
    }

    /// m / length of one row.
    func factor(_ index: Int, length: Float, _ values: UnsafeMutablePointer<Float>) -> Float {
        values[parameter.offset + index] / length
    }

    /// lengths ← m / lengths.
    func divide(by lengths: UnsafeMutablePointer<Float>, _ values: UnsafeMutablePointer<Float>) {
        gk_divide(Int64(parameter.count), values + parameter.offset, lengths, lengths)
    }
}
