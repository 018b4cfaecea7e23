import GraftLayers
import GraftTensor

/// y += s · B A[:, t] for each token t at an embedding site.
///
/// A [r, vocabulary], B [width, r], u [m, r] the columns of A. Backward: dB += s dyᵀ u; dA[:, t] += s dy B.
final class LoraEmbeddingDelta: Delta {
    private let a: Parameter
    private let b: Parameter
    private let rank: Int
    private let vocabulary: Int
    private let width: Int
    private let factor: Float
    /// Whose column of A never learns, as torch's `padding_idx`.
    private let frozenRow: Int?

    init(
        a: Parameter, b: Parameter, rank: Int, vocabulary: Int, width: Int, factor: Float, frozenRow: Int?
    ) {
        self.a = a
        self.b = b
        self.rank = rank
        self.vocabulary = vocabulary
        self.width = width
        self.factor = factor
        self.frozenRow = frozenRow
    }

    func forward(_ input: SiteInput, into y: Matrix, _ context: SiteContext) throws(GraftError) -> Matrix? {
        guard case .ids(let ids, let count) = input else { return nil }
        let u = try context.pass.arena(keeping: context.keeps).matrix(rows: count, columns: rank)
        let values = context.values(a)
        for row in 0..<count {
            for index in 0..<rank { u.base[row * rank + index] = values[index * vocabulary + Int(ids[row])] }
        }
        context.pass.team.multiply(
            u, matrixB(context.adapter.values), transposeB: true, scale: factor * context.adapter.scale, adding: 1,
            into: y)
        return u
    }

    func backward(
        _ dy: Matrix, input: SiteInput, kept u: Matrix?, into dx: Matrix?, _ context: SiteContext
    ) throws(GraftError) {
        guard case .ids(let ids, let count) = input, let u, let gradients = context.adapter.gradients else { return }
        let pass = context.pass
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let scale = factor * context.adapter.scale
        pass.team.multiply(dy, u, transposeA: true, scale: scale, adding: 1, into: matrixB(gradients))
        let du = try pass.scratch.matrix(rows: count, columns: rank)
        pass.team.multiply(dy, matrixB(context.adapter.values), scale: scale, into: du)
        let dA = gradients + a.offset
        for row in 0..<count where Int(ids[row]) != frozenRow {
            for index in 0..<rank { dA[index * vocabulary + Int(ids[row])] += du.base[row * rank + index] }
        }
    }

    private func matrixB(_ base: UnsafeMutablePointer<Float>) -> Matrix {
        Matrix(base + b.offset, rows: width, columns: rank)
    }
}

/// ΔE = s · Aᵀ Bᵀ.
extension LoraEmbeddingDelta: WeightChange {
    func addDelta(to table: Matrix, scale: Float, values: UnsafeMutablePointer<Float>, site: Site, team: Team) {
        team.multiply(
            Matrix(values + a.offset, rows: rank, columns: vocabulary), matrixB(values), transposeA: true,
            transposeB: true, scale: factor * scale, adding: 1, into: table)
    }
}
