import CGraftKernels
import GraftTensor

/// What is added to the embeddings that stand for words: to each row of the batch, its own rows of
/// a matrix times a factor.
package struct Perturbation: BitwiseCopyable {
    /// [tokens, width].
    let directions: Matrix
    /// One for each row.
    let factors: UnsafePointer<Float>

    package init(_ directions: Matrix, factors: UnsafePointer<Float>) {
        self.directions = directions
        self.factors = factors
    }
}

extension Pass {
    /// Calls `body` with the numbers of each row in matrices of all tokens, end to end: the first,
    /// and how many.
    package func eachRow(width: Int, _ body: (_ row: Int, _ first: Int, _ count: Int) -> Void) {
        for row in 0..<rowCount {
            body(row, Int(starts[row]) * width, length(ofRow: row) * width)
        }
    }

    /// h [tokens, width], which is contiguous.
    func perturb(_ h: Matrix) {
        guard let perturbation else { return }
        eachRow(width: h.columns) { row, first, count in
            gk_add(
                team.kernel, Int64(count), perturbation.factors[row], perturbation.directions.base + first,
                h.base + first)
        }
    }

    /// d(embeddings) for whoever asked for it.
    func report(_ dh: Matrix) {
        inputGradient?.base.update(from: dh.base, count: dh.count)
    }
}
