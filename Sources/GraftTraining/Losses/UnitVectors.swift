import CGraftKernels
import GraftTensor

/// Vectors of length 1, whose products are cosines, and what the loss's gradient of them is.
struct UnitVectors {
    let vectors: Matrix
    let gradients: Matrix?
    private let lengths: UnsafeMutablePointer<Float>

    init(_ batch: VectorBatch) throws(GraftError) {
        let vectors = try batch.work.matrix(rows: batch.vectors.rows, columns: batch.vectors.columns)
        batch.vectors.copy(to: vectors)
        lengths = try batch.work.allocate(Float.self, count: vectors.rows)
        gk_normalize_rows(
            batch.team.kernel, Int64(vectors.rows), Int64(vectors.columns), vectors.base, lengths)
        self.vectors = vectors
        gradients = batch.gradients == nil ? nil : try batch.zeros()
    }

    /// Copies of some rows.
    func rows(_ rows: [Int], work: Arena) throws(GraftError) -> Matrix {
        let copies = try work.matrix(rows: rows.count, columns: vectors.columns)
        for (place, row) in rows.enumerated() {
            vectors.rows(from: row, count: 1).copy(to: copies.rows(from: place, count: 1))
        }
        return copies
    }

    /// The cosine of two rows.
    func cosine(_ a: Int, _ b: Int, _ team: Team) -> Float {
        var product: Float = 0
        withUnsafeMutablePointer(to: &product) {
            team.multiply(
                vectors.rows(from: a, count: 1), vectors.rows(from: b, count: 1), transposeB: true,
                into: Matrix($0, rows: 1, columns: 1))
        }
        return product
    }

    /// Adds what `slope`, the loss's gradient of the cosine of two rows, is for both.
    func add(slope: Float, ofCosine a: Int, _ b: Int, _ team: Team) {
        guard let gradients, slope != 0 else { return }
        team.add(vectors.rows(from: b, count: 1), scale: slope, to: gradients.rows(from: a, count: 1))
        team.add(vectors.rows(from: a, count: 1), scale: slope, to: gradients.rows(from: b, count: 1))
    }

    /// Adds the gradients of the vectors that these were made of.
    func backward(_ batch: VectorBatch) {
        guard let gradients, let all = batch.gradients else { return }
        gk_normalize_rows_backward(
            batch.team.kernel, Int64(gradients.rows), Int64(gradients.columns), vectors.base, lengths, gradients.base)
        batch.team.add(gradients, to: all)
    }
}
