import GraftLayers
import GraftTensor

/// What a trainer minimises: the mean loss of one task, as a function of the model's last hidden
/// states. A row's loss depends on no other row, but where it is a `JointObjective`.
protocol Objective {
    /// The only token of each row whose hidden state the loss reads; nil where it may read any.
    var summary: SummaryToken? { get }
    /// What the head's numbers stand for; empty where that is the vocabulary.
    var labels: [String] { get }
    /// What an evaluation tells besides the loss.
    var measures: [Measure] { get }
    /// What rows lack whose weight is 0.
    var withoutWeight: String { get }
    /// Whether rows of weight 0 are measured none the less.
    var measuresWithoutWeight: Bool { get }
    /// Makes `prepared` what is learned in a batch's place, which may be drawn at random by the
    /// key; false where that is the batch itself.
    func prepare(_ batch: RowBatch, into prepared: inout RowBatch, key: UInt64) throws(GraftError) -> Bool
    /// Checks that a batch has the columns that the task needs.
    func check(_ batch: RowBatch) throws(GraftError)
    /// A row's part of what the sum of losses is divided by; 0 where it counts for nothing.
    func weight(ofRow row: Int, in batch: RowBatch) -> Double
    /// Adds the losses of the pass's rows, which begin at `first` in the batch, to the evidence;
    /// without a scale, all that it sees.
    ///
    /// With `scale`, also adds to the gradients of scale · loss, of the head and of all below it
    /// that learns.
    func run(
        _ batch: RowBatch, first: Int, _ hidden: HiddenStates, scale: Float?, _ evidence: inout Evidence, pass: Pass
    ) throws(GraftError)
    /// Memory for the evidence of an evaluation.
    func evidenceByteCount(_ batch: RowBatch) -> Int
    /// What an evaluation begins with.
    var evidence: Evidence { get }
    /// Whether rows come in groups, which are in one batch.
    var readsGroups: Bool { get }
    /// Bytes that were touched of the memory that it has of its own. Any thread may ask.
    var residentByteCount: Int { get }
}

extension Objective {
    var evidence: Evidence { Evidence(labels: labels) }
    var readsGroups: Bool { false }
    func prepare(
        _ batch: RowBatch, into prepared: inout RowBatch, key: UInt64
    ) throws(GraftError) -> Bool { false }
    var residentByteCount: Int { 0 }

    /// What the sum of losses is divided by; 0 where nothing counts.
    func weight(of batch: RowBatch) -> Double {
        (0..<batch.rowCount).reduce(0) { $0 + weight(ofRow: $1, in: batch) }
    }
}

/// The place of the largest score; the first of equals.
func largest<Score: Comparable>(_ scores: UnsafeBufferPointer<Score>) -> Int {
    var best = 0
    for index in scores.indices where scores[index] > scores[best] { best = index }
    return best
}
