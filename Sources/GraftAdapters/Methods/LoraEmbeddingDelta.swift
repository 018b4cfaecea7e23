import CGraftKernels
import GraftLayers
import GraftTensor

/// y += s · B A[:, t] for each token t at an embedding site.
///
/// A [r, vocabulary], B [width, r], u [m, r] the columns of A. Backward: dB += s dyᵀ u;
/// dA[:, t] += s dy B.
final class LoraEmbeddingDelta: EmbeddingAction {
    let a: Parameter
    let b: Parameter
    let rank: Int
    let vocabulary: Int
    let width: Int
    let factor: Float
    /// Whose column of A never learns, as torch's `padding_idx`.
    private let frozenRow: Int32?

    init(
        a: Parameter, b: Parameter, rank: Int, vocabulary: Int, width: Int, factor: Float, frozenRow: Int?
    ) {
        self.a = a
        self.b = b
        self.rank = rank
        self.vocabulary = vocabulary
        self.width = width
        self.factor = factor
        self.frozenRow = frozenRow.map { Int32(clamping: $0) }
    }

    func forward(
        _ ids: UnsafePointer<Int32>, into y: Matrix, _ module: EmbeddingModule, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        let u = try context.arena.matrix(rows: y.rows, columns: rank)
        let team = context.pass.team
        gk_gather_columns(
            team.kernel, Int64(y.rows), Int64(rank), ids, context.values(a), Int64(vocabulary), u.base)
        team.multiply(
            u, matrixB(context.numbers.values), transposeB: true, scale: factor * context.scale, adding: 1, into: y)
        return UnsafeMutableRawPointer(u.base)
    }

    func backward(
        _ dy: Matrix, ids: UnsafePointer<Int32>, kept: UnsafeMutableRawPointer?, _ context: SiteContext
    ) throws(GraftError) {
        guard let kept, let gradients = context.numbers.gradients else { return }
        let u = Matrix(kept.assumingMemoryBound(to: Float.self), rows: dy.rows, columns: rank)
        let (pass, team) = (context.pass, context.pass.team)
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let scale = factor * context.scale
        team.multiply(dy, u, transposeA: true, scale: scale, adding: 1, into: matrixB(gradients))
        let du = try pass.scratch.matrix(rows: dy.rows, columns: rank)
        team.multiply(dy, matrixB(context.numbers.values), scale: scale, into: du)
        gk_scatter_add_columns(
            team.kernel, Int64(dy.rows), Int64(rank), ids, frozenRow ?? -1, du.base, gradients + a.offset,
            Int64(vocabulary))
    }

    func matrixB(_ base: UnsafeMutablePointer<Float>) -> Matrix {
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
