import CGraftKernels
import GraftLayers
import GraftTensor

/// Few enough that their numbers stay in a processor's nearer caches.
private let rowsTogether = 64

/// A changed weight [count, columns] by a few rows together: `body` is given the first one's number
/// and room for them.
private func eachRows(
    _ count: Int, columns: Int, scratch: Arena, _ body: (_ first: Int, _ rows: Matrix) -> Void
) throws(GraftError) {
    let mark = scratch.mark
    defer { scratch.rewind(to: mark) }
    let all = try scratch.matrix(rows: min(rowsTogether, count), columns: columns)
    for first in stride(from: 0, to: count, by: rowsTogether) {
        body(first, all.rows(from: 0, count: min(rowsTogether, count - first)))
    }
}

extension LoraDelta {
    /// ‖W + s B A‖ [out]: the Euclidean length of each row, of which `copyRows` gives W's.
    func rowLengths(
        into lengths: UnsafeMutablePointer<Float>, _ values: UnsafeMutablePointer<Float>, _ team: Team, scratch: Arena,
        copyRows: (_ first: Int, _ rows: Matrix) -> Void
    ) throws(GraftError) {
        try eachRows(outputs, columns: inputs, scratch: scratch) { first, rows in
            copyRows(first, rows)
            team.multiply(
                matrixB(values).rows(from: first, count: rows.rows), matrixA(values), scale: factor, adding: 1,
                into: rows)
            gk_row_lengths(team.kernel, Int64(rows.rows), Int64(inputs), rows.base, lengths + first)
        }
    }
}

extension LoraEmbeddingDelta {
    /// ‖E + s Aᵀ Bᵀ‖ [width]: the Euclidean length of each column, over all rows, of which
    /// `copyRows` gives E's.
    func columnLengths(
        into lengths: UnsafeMutablePointer<Float>, _ values: UnsafeMutablePointer<Float>, _ team: Team, scratch: Arena,
        copyRows: (_ first: Int, _ rows: Matrix) -> Void
    ) throws(GraftError) {
        lengths.update(repeating: 0, count: width)
        try eachRows(vocabulary, columns: width, scratch: scratch) { first, rows in
            copyRows(first, rows)
            let columns = Matrix(values + a.offset, rows: rank, columns: vocabulary)
                .columns(from: first, count: rows.rows)
            team.multiply(
                columns, matrixB(values), transposeA: true, transposeB: true, scale: factor, adding: 1, into: rows)
            gk_add_column_products(
                team.kernel, Int64(rows.rows), Int64(width), rows.base, Int64(width), rows.base, Int64(width), lengths)
        }
        gk_square_roots(Int64(width), lengths)
    }
}
