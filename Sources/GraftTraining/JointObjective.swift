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
    func gather(_ batch: RowBatch, first: Int, _ hidden: HiddenStates, pass: Pass) throws(GraftError)
    /// Once all are there: adds the loss to the evidence and, without a scale, all that an
    /// evaluation sees.
    func close(_ batch: RowBatch, scale: Float?, _ evidence: inout Evidence, _ team: Team) throws(GraftError)
    /// Whether the loss compares rows with what they become without the adapter, and the batch does
    /// not say what that is.
    func readsBase(_ batch: RowBatch) -> Bool
    /// As `gather`, where the pass's rows have no adapter. Comes first.
    func gatherBase(_ batch: RowBatch, first: Int, _ hidden: HiddenStates, pass: Pass) throws(GraftError)
    /// What was gathered so, as a column of the batch.
    func base(_ batch: RowBatch) -> Column?
}

extension JointObjective {
    func readsBase(_ batch: RowBatch) -> Bool { false }
    func gatherBase(_ batch: RowBatch, first: Int, _ hidden: HiddenStates, pass: Pass) throws(GraftError) {}
    func base(_ batch: RowBatch) -> Column? { nil }
}

extension Trainer {
    /// Gathers what the rows of a batch become, unless they will learn in one pass.
    func gather(
        _ batch: RowBatch, for objective: any JointObjective, scale: Float?, _ evidence: inout Evidence
    ) throws(GraftError) {
        try objective.begin(batch)
        try gatherBase(batch, for: objective)
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
            try objective.gather(batch, first: rows.lowerBound, content.model.forward(pass), pass: pass)
        }
        try objective.close(batch, scale: scale, &evidence, pass.team)
        try requireFinite(evidence, 0..<batch.rowCount, learns: scale != nil)
    }

    /// Rows with what the objective compares them with, found once for all batches that have them.
    func withBase(_ rows: RowBatch) throws(GraftError) -> RowBatch {
        guard let objective = objective as? any JointObjective, objective.readsBase(rows) else { return rows }
        try objective.begin(rows)
        try gatherBase(rows, for: objective)
        var compared = rows
        if let base = objective.base(rows) { compared.set(base) }
        return compared
    }

    /// The base model is that of the adapter, whose passes leave it as it is: no other is needed.
    private func gatherBase(_ batch: RowBatch, for objective: any JointObjective) throws(GraftError) {
        guard objective.readsBase(batch) else { return }
        let (depth, key) = (pass.keptDepth, pass.dropoutKey)
        (pass.keptDepth, pass.dropoutKey) = (Int.max, nil)
        defer { (pass.keptDepth, pass.dropoutKey) = (depth, key) }
        try pass.each(of: batch, tokenBudget: passTokenCount, reading: objective.summary, adapter: { _ in nil }) {
            rows throws(GraftError) in
            try objective.gatherBase(batch, first: rows.lowerBound, content.model.forward(pass), pass: pass)
        }
    }
}
