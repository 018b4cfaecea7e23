import GraftAdapters
import GraftLayers
import GraftTensor

/// What a step is made of: the gradients of its batches, and an update by their mean.
extension Trainer {
    /// Adds a batch's gradients, and measures the step so far. On any error the gradients that
    /// waited are dropped and the adapter is as it was.
    @discardableResult
    func accumulate(_ batch: RowBatch) throws(GraftError) -> Metrics {
        do throws(GraftError) {
            guard batch.rowCount <= TrainerOptions.maximumRows else {
                throw GraftError(
                    .invalidArgument, "a batch has at most \(TrainerOptions.maximumRows) rows, found \(batch.rowCount)")
            }
            try check(batch)
            try learn(batch)
            progress.batch += 1
            return waiting.metrics
        } catch {
            dropWaiting()
            throw error
        }
    }

    func dropWaiting() {
        optimizer.clearGradients()
        waiting = StepSums()
    }

    private func learn(_ given: RowBatch) throws(GraftError) {
        let batch = try prepare(given, drawing: UInt64(progress.batch))
        // The loss is a mean over the whole step, whichever batches and passes its rows go through.
        let weight = objective.weight(of: batch)
        if waiting.unit == 0 { waiting.unit = weight }
        let loss = weight > 0 ? try run(batch, scale: Float(1 / waiting.unit)).loss : 0
        waiting.add(loss, weight: weight, rows: batch.rowCount, tokens: batch.readTokenCount)
    }

    /// Runs the rows of a batch through the model and the objective, pass by pass; with a scale, to
    /// learn, as the step plan has it, with dropout and gradients.
    func run(_ batch: RowBatch, scale: Float?) throws(GraftError) -> Evidence {
        let learns = scale != nil
        pass.keptDepth = learns ? min(trained.lowestDepth, content.model.shape.headDepth) : Int.max
        pass.dropoutKey = learns ? mixed(options.seed, UInt64(progress.batch)) : nil
        // A step sees nothing but its loss, and so allocates nothing.
        if !learns {
            try Memory.require(objective.evidenceByteCount(batch), to: "evaluating \(batch.rowCount) rows")
        }
        var evidence = learns ? Evidence() : objective.evidence
        if let objective = objective as? any JointObjective {
            try gather(batch, for: objective, scale: scale, &evidence)
            if !learns { return evidence }
        }
        try eachPass(of: batch) { rows throws(GraftError) in
            if let scale {
                try plan.learn(LearningPass(trainer: self, batch: batch, rows: rows, scale: scale), &evidence)
            } else {
                try forwardBackward(batch, rows, scale: nil, &evidence)
            }
            try requireFinite(evidence, rows, learns: learns)
        }
        return evidence
    }

    /// Begins each pass of a batch.
    func eachPass(
        of batch: RowBatch, _ body: (_ rows: Range<Int>) throws(GraftError) -> Void
    ) throws(GraftError) {
        try pass.each(
            of: batch, tokenBudget: passTokenCount, reading: objective.summary, adapter: { _ in trained }, body)
    }

    func requireFinite(_ evidence: Evidence, _ rows: Range<Int>, learns: Bool) throws(GraftError) {
        guard !evidence.loss.isFinite else { return }
        throw GraftError(
            .diverged,
            learns
                ? "the loss of batch \(progress.batch) is \(evidence.loss): the adapter keeps its values"
                : "the loss of rows \(rows.lowerBound) to \(rows.upperBound - 1) is \(evidence.loss): an adapter or the "
                    + "model is broken")
    }

    /// Begins a pass of some rows of a batch.
    func begin(_ batch: RowBatch, _ rows: Range<Int>) throws(GraftError) {
        try pass.begin(batch, rows: rows, reading: objective.summary) { _ in trained }
    }

    /// Adds the losses of the pass's rows and, with a scale, their gradients.
    func forwardBackward(
        _ batch: RowBatch, _ rows: Range<Int>, scale: Float?, _ evidence: inout Evidence
    ) throws(GraftError) {
        let hidden = try content.model.forward(pass)
        try objective.run(batch, first: rows.lowerBound, hidden, scale: scale, &evidence, pass: pass)
    }

    /// Checks that rows have labels for the task and tokens that the model takes. A message begins
    /// with the name of the data set, where there is one.
    func check(_ batch: RowBatch, _ name: String? = nil) throws(GraftError) {
        do throws(GraftError) {
            try checkRows(batch)
        } catch {
            throw name.map { GraftError(error.code, "\($0): \(error.message)") } ?? error
        }
    }

    private func checkRows(_ batch: RowBatch) throws(GraftError) {
        let shape = content.model.shape
        guard batch.rowCount > 0 else { throw GraftError(.invalidArgument, "there are no rows") }
        try objective.check(batch)
        try batch.check(
            typeCount: shape.typeCount, maximumLength: shape.maximumLength,
            vocabularySize: { _ in content.model.vocabularySize(trained) },
            virtualCount: { _ in trained.virtualCount })
    }

    /// Updates the adapter with the gradients that wait. A step in which nothing counts is none: it
    /// changes neither the adapter nor the schedule.
    func update(_ metrics: inout Metrics) throws(GraftError) {
        guard waiting.weight > 0 else { return dropWaiting() }
        let share = waiting.share
        try addPenalty(&metrics, share: share)
        let norm = optimizer.gradientNorm(pass.team) * share
        guard norm.isFinite else {
            dropWaiting()
            throw GraftError(
                .diverged, "the gradients of step \(progress.step) are not finite: the adapter keeps its values")
        }
        guard norm < OptimizerState.largestNorm || options.maximumGradientNorm > 0 else {
            dropWaiting()
            throw GraftError(
                .diverged,
                "the gradients of step \(progress.step) have norm \(norm), and maximum_gradient_norm is 0: the adapter keeps "
                    + "its values")
        }
        let scale = OptimizerState.clipping(norm: norm, maximum: options.maximumGradientNorm) * share
        let rate = learningRate.rate(atStep: progress.step, of: progress.totalSteps)
        optimizer.update(
            content.values, scale: scale, learningRate: rate, number: progress.step + 1, pass.team)
        if let rule { rule.rule.follow(ruleUpdate(rule, scale: scale)) }
        adapter.markChanged()
        dropWaiting()
        progress.step += 1
        metrics.learningRate = rate
        metrics.gradientNorm = norm
    }

    /// What the method's rule adds to the loss and the gradients.
    private func addPenalty(_ metrics: inout Metrics, share: Double) throws(GraftError) {
        guard let rule else { return }
        do throws(GraftError) {
            metrics.loss += try rule.rule.penalize(ruleUpdate(rule, scale: share))
        } catch {
            dropWaiting()
            throw error
        }
    }

    private func ruleUpdate(_ state: TrainingRuleState, scale: Double) -> RuleUpdate {
        RuleUpdate(
            values: content.values, gradients: optimizer.gradients, scale: scale, number: progress.step + 1,
            totalSteps: progress.totalSteps, state: state.kept, team: pass.team, scratch: pass.scratch)
    }
}
