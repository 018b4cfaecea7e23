import CGraftKernels
import GraftLayers
import GraftTensor

/// A learned factor l [count] for each column, which at a composition's scale w is 1 + w (l - 1).
struct ScaleVector: Sendable {
    private let parameter: Parameter

    init(_ parameter: Parameter) {
        self.parameter = parameter
    }

    /// y = x ∘ l; y may be x.
    func scale(_ x: Matrix, into y: Matrix, _ context: SiteContext) throws(GraftError) {
        let pass = context.pass
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        var factors = context.values(parameter)
        if context.scale != 1 {
            let partial = try pass.scratch.matrix(rows: 1, columns: parameter.count)
            partial.base.update(repeating: 1, count: parameter.count)
            pass.team.blend(
                Matrix(factors, rows: 1, columns: parameter.count), weight: context.scale, into: partial)
            factors = partial.base
        }
        gk_scale_columns(
            pass.team.kernel, Int64(x.rows), Int64(x.columns), x.base, Int64(x.stride), factors, y.base,
            Int64(y.stride))
    }

    /// dl += Σ dy ∘ x over the rows.
    func addGradient(_ dy: Matrix, _ x: Matrix, _ context: SiteContext) throws(GraftError) {
        guard let gradient = context.gradients(parameter) else { return }
        let pass = context.pass
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let sums = try context.columnProducts(dy, x)
        gk_add(pass.team.kernel, Int64(parameter.count), context.scale, sums, gradient)
    }

    func value(_ index: Int, _ values: UnsafeMutablePointer<Float>) -> Float { values[parameter.offset + index] }

    /// y += scale · (x ∘ l - x), for x in memory of its own and y of its shape.
    func addChange(
        of x: Matrix, _ scale: Float, _ values: UnsafeMutablePointer<Float>, to y: UnsafeMutablePointer<Float>,
        _ team: Team
    ) {
        gk_add(team.kernel, Int64(x.count), -scale, x.base, y)
        self.scale(x, values, team)
        gk_add(team.kernel, Int64(x.count), scale, x.base, y)
    }

    /// x = x ∘ l, outside of passes.
    func scale(_ x: Matrix, _ values: UnsafeMutablePointer<Float>, _ team: Team) {
        gk_scale_columns(
            team.kernel, Int64(x.rows), Int64(x.columns), x.base, Int64(x.stride), values + parameter.offset, x.base,
            Int64(x.stride))
    }
}
