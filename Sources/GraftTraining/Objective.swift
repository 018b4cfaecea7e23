import GraftLayers
import GraftTensor

/// What a trainer minimises: the mean loss of one task, as a function of the model's last hidden states.
protocol Objective {
    /// The only token of each row whose hidden state the loss reads; nil where it may read any.
    var summary: SummaryToken? { get }
    /// Classes of the rows; 0 where rows have none.
    var labelCount: Int { get }
    /// What rows lack whose weight is 0.
    var withoutWeight: String { get }
    /// Checks that a batch has the labels that the task needs.
    func check(_ batch: RowBatch) throws(GraftError)
    /// A row's part of what the sum of losses is divided by; 0 where it counts for nothing.
    func weight(ofRow row: Int, in batch: RowBatch) -> Double
    /// Adds the losses of the pass's rows, which begin at `first` in the batch, to the sums.
    ///
    /// With `scale`, also adds to the gradients of scale · loss, of the head and of all below it that learns.
    func run(
        _ batch: RowBatch, first: Int, _ hidden: HiddenStates, scale: Float?, _ sums: inout LossSums, pass: Pass
    ) throws(GraftError)
}

extension Objective {
    /// What the sum of losses is divided by; 0 where nothing counts.
    func weight(of batch: RowBatch) -> Double {
        (0..<batch.rowCount).reduce(0) { $0 + weight(ofRow: $1, in: batch) }
    }
}

/// Losses of the rows so far, and in an evaluation what was predicted.
package struct LossSums {
    var loss = 0.0
    var weight = 0.0
    /// Tokens that counted, and those of them that were predicted.
    var tokenCount = 0
    var correctCount = 0
    var predictions: Predictions

    init(labelCount: Int) { predictions = Predictions(labelCount: labelCount) }

    /// Part of the tokens, or else of the rows, that was predicted.
    var accuracy: Double { tokenCount > 0 ? Double(correctCount) / Double(tokenCount) : predictions.accuracy }
}

/// The place of the largest score; the first of equals.
func largest(_ scores: UnsafeBufferPointer<Float>) -> Int {
    var best = 0
    for index in scores.indices where scores[index] > scores[best] { best = index }
    return best
}
