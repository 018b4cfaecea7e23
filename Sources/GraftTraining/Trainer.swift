import Glibc
import GraftAdapters
import GraftLayers
import GraftTensor

/// Trains one adapter: forward, loss, backward, update; holds the optimizer's state, the schedule and the counts.
///
/// Not for concurrent use. While it steps, nobody else uses the adapter's numbers; between its calls anybody may read them.
package final class Trainer {
    let adapter: Adapter
    let content: AdapterContent
    let options: TrainerOptions
    let optimizer: OptimizerState

    let objective: any Objective
    /// What early stopping watches.
    let metric: Measure
    private let pass: Pass
    private let trained: AttachedAdapter
    private let passTokenCount: Int

    /// Where training stands; all of it goes into a checkpoint.
    var progress = TrainingProgress()
    /// The longest limit of the rows that were trained on.
    var maximumLength: Int?
    /// The weights of the best evaluation.
    var bestValues: Memory? {
        get { best.withLock { $0 } }
        set { best.withLock { $0 = newValue } }
    }
    private let best = Guarded<Memory?>(nil)
    /// What waits for an update, beside the gradients.
    var waiting = StepSums()

    package init(adapter: Adapter, options: TrainerOptions) throws(GraftError) {
        let content = adapter.content
        let objective = try Self.objective(content, options)
        let metric = try Self.metric(options.metric, of: objective)
        let optimizer = try OptimizerState(count: content.plan.trainedCount)
        let pass = try Pass(team: try Team(threadCount: options.threadCount))
        pass.cancelToken = options.cancelToken
        try adapter.beginTraining()
        self.adapter = adapter
        self.content = content
        self.options = options
        self.optimizer = optimizer
        self.pass = pass
        self.objective = objective
        self.metric = metric
        trained = content.attached(scale: 1, gradients: optimizer.gradients)
        // Enough rows for the products to be efficient, few enough for what is kept to stay small beside the weights.
        // What is kept of a token grows with depth and width: above bert-base's, shorter passes cost little in speed.
        let shape = content.model.shape
        let isLarge = shape.hiddenSize * shape.layerCount > 768 * 12
        passTokenCount = options.passTokenCount > 0 ? options.passTokenCount : isLarge ? 256 : 1024
        progress.totalSteps = options.totalSteps
    }

    /// That of the adapter's task; without one, of the checkpoint's own head.
    private static func objective(_ content: AdapterContent, _ options: TrainerOptions) throws(GraftError)
        -> any Objective
    {
        guard let task = content.actingTask else {
            throw GraftError(
                .invalidArgument, "the adapter has no head to train for a task: expected one, set before")
        }
        let dense = try DenseObjective(content, task, options)
        let objective: any Objective = if let dense { dense } else { try LanguageModelObjective(content, options) }
        try options.check(labelCount: objective.labels.count)
        return objective
    }

    /// What early stopping watches.
    private static func metric(_ name: String, of objective: any Objective) throws(GraftError) -> Measure {
        let known = [Measure.loss] + objective.measures
        guard let measure = known.first(where: { $0.name == name }) else {
            throw GraftError(
                .invalidArgument,
                "metric \"\(name)\"; an evaluation of this task has \(known.map(\.name).joined(separator: ", "))")
        }
        return measure
    }

    deinit { adapter.endTraining() }

    /// Bytes that were touched of working memory, gradients, moments and best weights. Any thread may ask.
    package var residentByteCount: Int {
        pass.residentByteCount + optimizer.residentByteCount + (bestValues?.residentByteCount ?? 0)
    }

    var schedule: Schedule {
        // Rounded up, as Hugging Face does; but 0.1 as a float is a little more than a tenth, which must not add a step.
        let share = Double(options.warmupRatio) * Double(progress.totalSteps)
        return Schedule(
            shape: options.schedule,
            warmupSteps: options.warmupSteps > 0 ? options.warmupSteps : Int((share * (1 - 1e-6)).rounded(.up)),
            totalSteps: progress.totalSteps)
    }

    /// One batch of the caller's loop; updates the adapter every `batchesPerStep` calls. Measures the step so far.
    package func step(_ batch: RowBatch) throws(GraftError) -> Metrics {
        try adapter.change { () throws(GraftError) in
            let started = now()
            var metrics = try accumulate(batch)
            if let length = limit(of: batch) { record(max(length, maximumLength ?? 0)) }
            if waiting.batchCount == options.batchesPerStep { try update(&metrics) }
            finish(&metrics, since: started, tokens: batch.tokenCount)
            return metrics
        }
    }

    /// At what length rows were cut; nil where they were given as tokens, or where no file sets a limit.
    func limit(of rows: RowBatch) -> Int? {
        rows.origin.maximumLength ?? (rows.origin.isChosen ? content.model.shape.maximumLength : nil)
    }

    /// Has the adapter remember at what length the rows that it learns from are cut, so that those it is used on are, too.
    func record(_ length: Int) {
        maximumLength = length
        content.maximumLength = min(length, content.model.shape.maximumLength)
    }

    func finish(_ metrics: inout Metrics, since started: Double, tokens: Int) {
        metrics.step = progress.step
        metrics.totalSteps = progress.totalSteps
        metrics.epoch = progress.epoch
        metrics.tokensPerSecond = Double(tokens) / max(now() - started, 1e-9)
    }

    /// Adds a batch's gradients, and measures the step so far. On any error the gradients that waited are dropped and the
    /// adapter is as it was.
    @discardableResult
    func accumulate(_ batch: RowBatch) throws(GraftError) -> Metrics {
        do throws(GraftError) {
            guard batch.rowCount <= TrainerOptions.maximumRows else {
                throw GraftError(
                    .invalidArgument, "a batch has at most \(TrainerOptions.maximumRows) rows, found \(batch.rowCount)")
            }
            try check(batch)
            try forwardBackward(batch)
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

    private func forwardBackward(_ batch: RowBatch) throws(GraftError) {
        // The loss is a mean over the whole step, whichever batches and passes its rows go through.
        let weight = objective.weight(of: batch)
        if waiting.unit == 0 { waiting.unit = weight }
        let loss = weight > 0 ? try run(batch, scale: Float(1 / waiting.unit)).loss : 0
        waiting.add(loss, weight: weight, rows: batch.rowCount, tokens: batch.tokenCount)
    }

    /// Runs the rows of a batch through the model and the objective, pass by pass; with a scale, to learn, with dropout
    /// and gradients.
    func run(_ batch: RowBatch, scale: Float?) throws(GraftError) -> Evidence {
        let learns = scale != nil
        pass.keptDepth = learns ? min(trained.lowestDepth, content.model.shape.headDepth) : Int.max
        pass.dropoutKey = learns ? mixed(options.seed, UInt64(progress.batch)) : nil
        // A step sees nothing but its loss, and so allocates nothing.
        if !learns {
            try Memory.require(objective.evidenceByteCount(batch), to: "evaluating \(batch.rowCount) rows")
        }
        var evidence = learns ? Evidence() : Evidence(labels: objective.labels)
        var first = 0
        while first < batch.rowCount {
            try Memory.check()
            let end = batch.passEnd(from: first, tokenBudget: passTokenCount)
            try pass.begin(batch, rows: first..<end, reading: objective.summary) { _ in trained }
            let hidden = try content.model.forward(pass)
            try objective.run(batch, first: first, hidden, scale: scale, &evidence, pass: pass)
            guard evidence.loss.isFinite else {
                throw GraftError(
                    .diverged,
                    learns
                        ? "the loss of batch \(progress.batch) is \(evidence.loss): the adapter keeps its values"
                        : "the loss of rows \(first) to \(end - 1) is \(evidence.loss): an adapter or the model is broken"
                )
            }
            first = end
        }
        return evidence
    }

    /// Checks that rows have the task's columns and tokens that the model takes. A message begins with the name of the
    /// data set, where there is one.
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
            vocabularySize: { _ in content.model.vocabularySize(trained) })
    }

    /// Updates the adapter with the gradients that wait. A step in which nothing counts is none: it changes neither the
    /// adapter nor the schedule.
    func update(_ metrics: inout Metrics) throws(GraftError) {
        guard waiting.weight > 0 else { return dropWaiting() }
        let norm = optimizer.gradientNorm(pass.team) * waiting.share
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
        let rate = Double(options.learningRate) * schedule.factor(atStep: progress.step)
        optimizer.update(
            content.values, share: waiting.share, norm: norm, learningRate: rate, step: progress.step, options,
            pass.team)
        adapter.markChanged()
        waiting = StepSums()
        progress.step += 1
        metrics.learningRate = rate
        metrics.gradientNorm = norm
    }
}

/// Seconds of a clock that only goes forward.
func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// SplitMix64's finish (Steele et al. 2014) of two numbers: keys that differ in every bit from their neighbours'.
func mixed(_ seed: UInt64, _ count: UInt64) -> UInt64 {
    var z = seed &+ (count &+ 1) &* 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
}
