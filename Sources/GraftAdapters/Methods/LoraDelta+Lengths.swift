import CGraftKernels
import GraftLayers
import GraftTensor

extension LoraDelta {
    /// Rows of W that are changed and measured together.
    private static let rowsTogether = 64

    /// ‖W + s B A‖ [out]: the Euclidean length of each row, of which `copyRows` gives W's.
    func rowLengths(
        into lengths: UnsafeMutablePointer<Float>, _ values: UnsafeMutablePointer<Float>, _ team: Team, scratch: Arena,
        copyRows: (_ first: Int, _ rows: Matrix) -> Void
    ) throws(GraftError) {
        let mark = scratch.mark
        defer { scratch.rewind(to: mark) }
        let all = try scratch.matrix(rows: min(Self.rowsTogether, outputs), columns: inputs)
        var first = 0
        while first < outputs {
            let rows = all.rows(from: 0, count: min(Self.rowsTogether, outputs - first))
            copyRows(first, rows)
            team.multiply(
                matrixB(values).rows(from: first, count: rows.rows), matrixA(values), scale: factor, adding: 1,
                into: rows)
            gk_row_lengths(team.kernel, Int64(rows.rows), Int64(inputs), rows.base, lengths + first)
            first += rows.rows
        }
    }
}

extension LoraEmbeddingDelta {
    private static let rowsTogether = 64

    /// ‖E + s Aᵀ Bᵀ‖ [width]: the Euclidean length of each column, over all rows, of which
    /// `copyRows` gives E's.
    func columnLengths(
        into lengths: UnsafeMutablePointer<Float>, _ values: UnsafeMutablePointer<Float>, _ team: Team, scratch: Arena,
        copyRows: (_ first: Int, _ rows: Matrix) -> Void
    ) throws(GraftError) {
        let mark = scratch.mark
        defer { scratch.rewind(to: mark) }
        let all = try scratch.matrix(rows: min(Self.rowsTogether, vocabulary), columns: width)
        lengths.update(repeating: 0, count: width)
        var first = 0
        while first < vocabulary {
            let rows = all.rows(from: 0, count: min(Self.rowsTogether, vocabulary - first))
            copyRows(first, rows)
            let columns = Matrix(values + a.offset, rows: rank, columns: vocabulary)
                .columns(from: first, count: rows.rows)
            team.multiply(
                columns, matrixB(values), transposeA: true, transposeB: true, scale: factor, adding: 1, into: rows)
            gk_add_column_products(
                team.kernel, Int64(rows.rows), Int64(width), rows.base, Int64(width), rows.base, Int64(width), lengths)
            first += rows.rows
        }
        gk_square_roots(Int64(width), lengths)
    }
}
