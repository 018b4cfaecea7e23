import CGraftKernels
import GraftLayers
import GraftTensor

/// Sums over rows, which the gradients of what acts on every row alike are.
extension SiteContext {
    /// Adds to a parameter's gradient: scale · Σ x over the rows.
    func addColumnSums(of x: Matrix, scale: Float, to parameter: Parameter) throws(GraftError) {
        guard let gradient = gradients(parameter) else { return }
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let sums = try zeroes(x.columns)
        gk_add_column_sums(pass.team.kernel, Int64(x.rows), Int64(x.columns), x.base, Int64(x.stride), sums)
        gk_add(pass.team.kernel, Int64(x.columns), scale, sums, gradient)
    }

    /// Σ x ∘ y over the rows, in scratch memory.
    func columnProducts(_ x: Matrix, _ y: Matrix) throws(GraftError) -> UnsafeMutablePointer<Float> {
        let sums = try zeroes(x.columns)
        gk_add_column_products(
            pass.team.kernel, Int64(x.rows), Int64(x.columns), x.base, Int64(x.stride), y.base, Int64(y.stride), sums)
        return sums
    }

    private func zeroes(_ count: Int) throws(GraftError) -> UnsafeMutablePointer<Float> {
        let sums = try pass.scratch.allocate(Float.self, count: count)
        sums.update(repeating: 0, count: count)
        return sums
    }
}
