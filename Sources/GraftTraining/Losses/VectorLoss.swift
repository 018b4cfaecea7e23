import GraftFormats
import GraftLayers
import GraftTensor

/// A loss of the vectors of a batch's rows, which come in groups. A new one is its file and one
/// line in `Losses`.
package protocol VectorLoss: Loss {
    /// Rows that a group may have: the anchor, what is like it, and what is not.
    static var groupSize: ClosedRange<Int> { get }
    /// Whether a target says how alike the two rows of a group are.
    static var readsTargets: Bool { get }

    /// The sum of the groups' losses.
    func add(_ batch: VectorBatch) throws(GraftError) -> Double
}

/// What a loss of vectors is of, and where their gradients go.
package struct VectorBatch {
    /// [rows, width].
    let vectors: Matrix
    /// The first row of each group, and the row count.
    let starts: ArraySlice<Int>
    /// Of each row; empty where the loss reads none.
    let targets: [Float]
    /// d(vectors), to which scale · the gradients are added; nil where none are wanted.
    let gradients: Matrix?
    let scale: Float
    let team: Team
    /// A loss may leave in it what it takes.
    let work: Arena

    var groupCount: Int { starts.count - 1 }

    /// The first row of a group; of the one past the last, the row count.
    func first(_ group: Int) -> Int { starts[starts.startIndex + group] - starts[starts.startIndex] }

    /// Memory for vectors, all 0.
    func zeros() throws(GraftError) -> Matrix {
        let matrix = try work.matrix(rows: vectors.rows, columns: vectors.columns)
        matrix.clear()
        return matrix
    }
}
