import GraftLayers
import GraftTensor

/// An objective whose loss is one of all rows of a batch together. What they become is gathered
/// first, pass by pass, and then each pass learns.
///
/// So a batch of several passes goes forward twice, and memory stays that of a pass. A batch of one
/// pass gathers as it learns.
protocol JointObjective: Objective {
    /// Makes room for what the batch's rows become.
    func begin(_ batch: RowBatch) throws(GraftError)
    /// Takes what the pass's rows become, which begin at `first` in the batch.
    func gather(_ hidden: HiddenStates, first: Int, pass: Pass) throws(GraftError)
    /// Once all are there: adds the loss to the evidence and, without a scale, all that an
    /// evaluation sees.
    func close(_ batch: RowBatch, scale: Float?, _ evidence: inout Evidence, _ team: Team) throws(GraftError)
}

extension Trainer {
    /// Gathers what the rows of a batch become, unless they will learn in one pass.
    func gather(
        _ batch: RowBatch, for objective: any JointObjective, scale: Float?, _ evidence: inout Evidence
    ) throws(GraftError) {
        try objective.begin(batch)
        if scale != nil {
            let end = batch.passEnd(
                from: 0, tokenBudget: passTokenCount, virtualCount: { _ in trained.virtualCount })
            if end == batch.rowCount { return }
            guard plan.runsRowsAsTheyAre else {
                throw GraftError(
                    .unsupported,
                    "step_plan \(choices.stepPlan.member.name) with a loss of a whole batch: it goes through in one pass of "
                        + "\(batch.tokenCount) tokens, or not at all: set pass_token_count")
            }
        }
        let depth = pass.keptDepth
        pass.keptDepth = Int.max
        defer { pass.keptDepth = depth }
        try eachPass(of: batch) { rows throws(GraftError) in
            try objective.gather(content.model.forward(pass), first: rows.lowerBound, pass: pass)
        }
        try objective.close(batch, scale: scale, &evidence, pass.team)
        try requireFinite(evidence, 0..<batch.rowCount, learns: scale != nil)
    }
}
