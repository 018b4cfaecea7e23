import CGraftKernels
import GraftLayers
import GraftTensor

/// y += s · (B A dropout(x) + bias) at a linear site.
///
/// x [m, in], u = dropout(x) Aᵀ [m, r], y [m, out]. Backward: dB += s dyᵀ u; du = s dy B; dA += duᵀ dropout(x);
/// dx += dropout(du A); dbias += s Σ dy.
final class LoraDelta: Delta {
    private let a: Parameter
    private let b: Parameter
    private let bias: Parameter?
    private let rank: Int
    private let inputs: Int
    private let outputs: Int
    private let factor: Float
    private let dropout: Float

    init(
        a: Parameter, b: Parameter, bias: Parameter?, rank: Int, inputs: Int, outputs: Int, factor: Float,
        dropout: Float
    ) {
        self.a = a
        self.b = b
        self.bias = bias
        self.rank = rank
        self.inputs = inputs
        self.outputs = outputs
        self.factor = factor
        self.dropout = dropout
    }

    func forward(_ input: SiteInput, into y: Matrix, _ context: SiteContext) throws(GraftError) -> Matrix? {
        guard case .rows(let x) = input else { return nil }
        let pass = context.pass
        let u = try pass.arena(keeping: context.keeps).matrix(rows: x.rows, columns: rank)
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let dropped = try droppedInput(x, context)
        let scale = factor * context.adapter.scale
        pass.team.multiply(dropped, matrixA(context.adapter.values), transposeB: true, into: u)
        pass.team.multiply(u, matrixB(context.adapter.values), transposeB: true, scale: scale, adding: 1, into: y)
        if let bias {
            let ones = try pass.scratch.matrix(rows: y.rows, columns: 1)
            ones.base.update(repeating: 1, count: y.rows)
            pass.team.multiply(
                ones, Matrix(context.values(bias), rows: 1, columns: outputs), scale: scale, adding: 1, into: y)
        }
        return u
    }

    func backward(
        _ dy: Matrix, input: SiteInput, kept u: Matrix?, into dx: Matrix?, _ context: SiteContext
    ) throws(GraftError) {
        guard case .rows(let x) = input, let u else { return }
        let pass = context.pass
        let team = pass.team
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let scale = factor * context.adapter.scale
        let du = try pass.scratch.matrix(rows: dy.rows, columns: rank)
        team.multiply(dy, matrixB(context.adapter.values), scale: scale, into: du)
        if let gradients = context.adapter.gradients {
            team.multiply(dy, u, transposeA: true, scale: scale, adding: 1, into: matrixB(gradients))
            let dropped = try droppedInput(x, context)
            team.multiply(du, dropped, transposeA: true, adding: 1, into: matrixA(gradients))
            if let bias {
                let sums = try pass.scratch.allocate(Float.self, count: outputs)
                sums.update(repeating: 0, count: outputs)
                gk_add_column_sums(
                    team.kernel, Int64(dy.rows), Int64(outputs), dy.base, Int64(dy.stride), sums)
                gk_add(team.kernel, Int64(outputs), scale, sums, gradients + bias.offset)
            }
        }
        guard let dx else { return }
        guard var dropout = context.dropout(probability: dropout, width: inputs) else {
            team.multiply(du, matrixA(context.adapter.values), adding: 1, into: dx)
            return
        }
        let dDropped = try pass.scratch.matrix(rows: dx.rows, columns: inputs)
        team.multiply(du, matrixA(context.adapter.values), into: dDropped)
        gk_apply_dropout(team.kernel, &dropout, Int64(dDropped.count), dDropped.base, dDropped.base)
        gk_add(team.kernel, Int64(dx.count), 1, dDropped.base, dx.base)
    }

    private func matrixA(_ base: UnsafeMutablePointer<Float>) -> Matrix {
        Matrix(base + a.offset, rows: rank, columns: inputs)
    }

    private func matrixB(_ base: UnsafeMutablePointer<Float>) -> Matrix {
        Matrix(base + b.offset, rows: outputs, columns: rank)
    }

    /// dropout(x), or x itself where nothing is dropped.
    private func droppedInput(_ x: Matrix, _ context: SiteContext) throws(GraftError) -> Matrix {
        guard var dropout = context.dropout(probability: dropout, width: inputs) else { return x }
        let out = try context.pass.scratch.matrix(rows: x.rows, columns: x.columns)
        gk_apply_dropout(context.pass.team.kernel, &dropout, Int64(x.count), x.base, out.base)
        return out
    }
}
