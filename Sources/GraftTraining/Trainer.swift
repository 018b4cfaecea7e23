import Glibc
import GraftAdapters
import GraftLayers
import GraftTensor

/// Trains one adapter: forward, loss, backward, update; holds the optimizer's state, the schedule and the counts.
///
/// Not for concurrent use. The adapter is the trainer's alone until it is released.
package final class Trainer {
    let adapter: Adapter
    let content: AdapterContent
    let options: TrainerOptions
    let optimizer: OptimizerState

    private let objective: any Objective
    private let pass: Pass
    private let trained: AttachedAdapter
    private let passTokenCount: Int

    /// Where training stands; all of it goes into a checkpoint.
    var progress = TrainingProgress()
    /// The weights of the best evaluation.
    var bestValues: Memory?
    /// Batches whose gradients wait for an update.
    var waitingBatches = 0

    package init(adapter: Adapter, options: TrainerOptions) throws(GraftError) {
        let content = adapter.content
        let objective = try Self.objective(content, options)
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
        trained = content.attached(scale: 1, gradients: optimizer.gradients)
        // Enough rows for the products to be efficient, few enough for what is kept to stay small beside the weights.
        // What is kept of a token grows with depth and width: above bert-base's, shorter passes cost little in speed.
        let shape = content.model.shape
        let isLarge = shape.hiddenSize * shape.layerCount > 768 * 12
        passTokenCount = options.passTokenCount > 0 ? options.passTokenCount : isLarge ? 256 : 1024
        progress.totalSteps = options.totalSteps
    }

    /// The adapter's task; without one, that of the checkpoint's own head.
    private static func objective(_ content: AdapterContent, _ options: TrainerOptions) throws(GraftError)
        -> any Objective
    {
        if content.task == .languageModel {
            try options.check(labelCount: 0)
            return try LanguageModelObjective(content, options)
        }
        let base = try content.plan.head == nil ? content.model.baseLabelCount() : nil
        guard let labels = content.plan.head?.labelCount ?? base else {
            throw GraftError(
                .invalidArgument, "the adapter has no head to train for a task: call graft_adapter_set_head() first")
        }
        try options.check(labelCount: labels)
        return ClassificationObjective(content, labelCount: labels, options)
    }

    deinit { adapter.endTraining() }

    /// Classes of the rows; 0 for a language model.
    package var labelCount: Int { objective.labelCount }

    var schedule: Schedule {
        // Rounded up, as Hugging Face does; but 0.1 as a float is a little more than a tenth, which must not add a step.
        let share = Double(options.warmupRatio) * Double(progress.totalSteps)
        return Schedule(
            shape: options.schedule,
            warmupSteps: options.warmupSteps > 0 ? options.warmupSteps : Int((share * (1 - 1e-6)).rounded(.up)),
            totalSteps: progress.totalSteps)
    }

    /// One batch of the caller's loop; updates the adapter every `batchesPerStep` calls.
    package func step(_ batch: RowBatch) throws(GraftError) -> Metrics {
        let started = now()
        var metrics = try accumulate(batch, batchesInStep: options.batchesPerStep)
        if waitingBatches == options.batchesPerStep { try update(&metrics) }
        finish(&metrics, since: started, batch)
        return metrics
    }

    func finish(_ metrics: inout Metrics, since started: Double, _ batch: RowBatch) {
        metrics.step = progress.step
        metrics.totalSteps = progress.totalSteps
        metrics.epoch = progress.epoch
        metrics.tokensPerSecond = Double(metrics.tokenCount) / max(now() - started, 1e-9)
    }

    /// Adds a batch's gradients. On any error the gradients that waited are dropped and the adapter is as it was.
    func accumulate(_ batch: RowBatch, batchesInStep: Int) throws(GraftError) -> Metrics {
        do throws(GraftError) {
            guard batch.rowCount <= TrainerOptions.maximumRows else {
                throw GraftError(
                    .invalidArgument, "a batch has at most \(TrainerOptions.maximumRows) rows, found \(batch.rowCount)")
            }
            try check(batch)
            let metrics = try forwardBackward(batch, batchesInStep: batchesInStep)
            waitingBatches += 1
            progress.batch += 1
            return metrics
        } catch {
            dropWaiting()
            throw error
        }
    }

    func dropWaiting() {
        optimizer.clearGradients()
        waitingBatches = 0
    }

    private func forwardBackward(_ batch: RowBatch, batchesInStep: Int) throws(GraftError) -> Metrics {
        // The loss is a mean over the whole batch, whichever passes its rows go through.
        let weight = objective.weight(of: batch)
        guard weight > 0 else {
            throw GraftError(.invalidArgument, "\(objective.withoutWeight): the loss has no mean")
        }
        let sums = try run(batch, scale: Float(1 / (weight * Double(batchesInStep))))
        var metrics = Metrics()
        metrics.loss = sums.loss / weight
        metrics.rowCount = batch.rowCount
        metrics.tokenCount = batch.tokenCount
        return metrics
    }

    /// Runs the rows of a batch through the model and the objective, pass by pass; with a scale, to learn, with dropout
    /// and gradients.
    func run(_ batch: RowBatch, scale: Float?) throws(GraftError) -> LossSums {
        let learns = scale != nil
        pass.keptDepth = learns ? min(trained.lowestDepth, content.model.shape.headDepth) : Int.max
        pass.dropoutKey = learns ? mixed(options.seed, UInt64(progress.batch)) : nil
        // A step counts no predictions, and so allocates nothing.
        var sums = LossSums(labelCount: learns ? 0 : objective.labelCount)
        var first = 0
        while first < batch.rowCount {
            let end = batch.passEnd(from: first, tokenBudget: passTokenCount)
            try pass.begin(batch, rows: first..<end, reading: objective.summary) { _ in trained }
            let hidden = try content.model.forward(pass)
            try objective.run(batch, first: first, hidden, scale: scale, &sums, pass: pass)
            guard sums.loss.isFinite else {
                throw GraftError(
                    .diverged,
                    learns
                        ? "the loss of batch \(progress.batch) is \(sums.loss): the adapter keeps its values"
                        : "the loss of rows \(first) to \(end - 1) is \(sums.loss): an adapter or the model is broken")
            }
            first = end
        }
        return sums
    }

    /// Checks that rows have labels for the task and tokens that the model takes.
    func check(_ batch: RowBatch) throws(GraftError) {
        let shape = content.model.shape
        guard batch.rowCount > 0 else { throw GraftError(.invalidArgument, "there are no rows") }
        try objective.check(batch)
        try batch.check(
            typeCount: shape.typeCount, maximumLength: shape.maximumLength,
            vocabularySize: { _ in content.model.vocabularySize(trained) })
    }

    /// Updates the adapter with the gradients that wait.
    func update(_ metrics: inout Metrics) throws(GraftError) {
        let norm = optimizer.gradientNorm(pass.team)
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
            content.values, norm: norm, learningRate: rate, step: progress.step, options, pass.team)
        adapter.markChanged()
        waitingBatches = 0
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
