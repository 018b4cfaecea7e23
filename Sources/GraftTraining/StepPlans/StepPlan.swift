import GraftFormats
import GraftLayers
import GraftTensor

/// What a step does with the rows of each pass: how often they go forward and backward, and what
/// stands between. A new one is its file and one line in `StepPlans`.
package protocol StepPlan: Chosen {
    /// Whether what a row becomes without the plan is what it becomes with it.
    var runsRowsAsTheyAre: Bool { get }
    /// Learns from the rows of a pass: adds their losses to the evidence, and their gradients to
    /// those that wait.
    func learn(_ rows: LearningPass, _ evidence: inout Evidence) throws(GraftError)
}

/// A pass whose rows a step learns from; it has begun.
package struct LearningPass {
    let trainer: Trainer
    let batch: RowBatch
    /// Of the batch.
    let rows: Range<Int>
    /// What the losses' gradients are multiplied by.
    let scale: Float

    package var pass: Pass { trainer.pass }

    /// Begins the pass once more: nothing is left of what the last run kept.
    package func restart() throws(GraftError) { try trainer.begin(batch, rows) }

    /// Forward and backward: adds the losses to the evidence, and the gradients to those that wait.
    package func run(_ evidence: inout Evidence) throws(GraftError) {
        try trainer.forwardBackward(batch, rows, scale: scale, &evidence)
    }
}
