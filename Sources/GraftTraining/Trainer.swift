import GraftAdapters
import GraftFormats
import GraftLayers
import GraftTensor

/// Trains one adapter: forward, loss, backward, update; holds the optimizer's state, the schedule
/// and the counts.
///
/// Not for concurrent use. While it steps, nobody else uses the adapter's numbers; between its
/// calls anybody may read them.
package final class Trainer {
    let adapter: Adapter
    let content: AdapterContent
    let options: TrainerOptions
    /// What a checkpoint must have been written with.
    let choices: NamedOptions
    let optimizer: OptimizerState
    let learningRate: LearningRate
    let plan: any StepPlan
    let rule: TrainingRuleState?

    let objective: any Objective
    /// What early stopping watches.
    let metric: Measure
    let pass: Pass
    let trained: AttachedAdapter
    let passTokenCount: Int

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
    /// The latest batch as the model's decoder reads it, where it has an encoder; its memory serves
    /// the next.
    private var decoderRows = RowBatch()
    /// What waits for an update, beside the gradients.
    var waiting = StepSums()
    /// What the latest batch became before it was learned from; its memory serves the next.
    private var prepared = RowBatch()

    package convenience init(adapter: Adapter, options: TrainerOptions) throws(GraftError) {
        try self.init(adapter: adapter, options: options, rule: adapter.content.plan.trainingRule)
    }

    /// - Parameter plan: nil for that of the options.
    init(
        adapter: Adapter, options: TrainerOptions, rule: (any TrainingRule)?, plan: (any StepPlan)? = nil
    ) throws(GraftError) {
        let content = adapter.content
        let objective = try Self.objective(content, options)
        let metric = try Self.metric(options.metric, of: objective)
        let choices = try NamedOptions(options)
        let count = content.plan.trainedCount
        let optimizer = try OptimizerState(
            choices.optimizer.member.init(choices.optimizer.settings), count: count,
            ratios: RateRatios(choices.optimizer.settings, of: content.plan))
        let plan = plan ?? choices.stepPlan.member.init(choices.stepPlan.settings)
        if content.model.decoderTokens != nil, !plan.runsRowsAsTheyAre {
            throw GraftError(
                .unsupported,
                "step_plan \(choices.stepPlan.member.name) with a model of an encoder and a decoder, whose embeddings are "
                    + "of two rows: expected plain")
        }
        let rule = try rule.map { rule throws(GraftError) in try TrainingRuleState(rule) }
        let pass = try Pass(team: try Team(threadCount: options.threadCount))
        pass.cancelToken = options.cancelToken
        pass.runsLayersAgain = options.recomputesLayers
        try adapter.beginTraining()
        self.adapter = adapter
        self.content = content
        self.options = options
        self.choices = choices
        self.optimizer = optimizer
        learningRate = LearningRate(
            peak: options.learningRate, choices.schedule.member, choices.schedule.settings)
        self.plan = plan
        self.rule = rule
        self.pass = pass
        self.objective = objective
        self.metric = metric
        trained = content.attached(scale: 1, gradients: optimizer.gradients)
        let fitting = Self.fittingTokenCount(content.model.shape, isJoint: objective is any JointObjective)
        passTokenCount = options.passTokenCount > 0 ? options.passTokenCount : fitting
        progress.totalSteps = options.totalSteps
    }

    /// Enough rows for the products to be efficient, few enough for what is kept to stay small
    /// beside the weights. What is kept of a token grows with depth and width: from about
    /// bert-base's on, shorter passes cost little in speed. A joint loss of several passes costs
    /// another forward, so there they may keep what 1,024 tokens of bert-base do.
    private static func fittingTokenCount(_ shape: ModelShape, isJoint: Bool) -> Int {
        let bertBase = 768 * 12
        let own = max(1, shape.hiddenSize * shape.layerCount)
        if own > bertBase { return 256 }
        if isJoint { return 1024 * min(4, bertBase / own) }
        return own > bertBase / 2 ? 512 : 1024
    }

    /// That of the adapter's task; without one, of the checkpoint's own head.
    private static func objective(_ content: AdapterContent, _ options: TrainerOptions) throws(GraftError)
        -> any Objective
    {
        guard let task = content.actingTask else {
            throw GraftError(
                .invalidArgument, "the adapter has no head to train for a task: expected one, set before")
        }
        if let loss = options.loss, task.head != .embedding, task.head != .vocabulary, task.outputs != .values {
            throw GraftError(
                .invalidArgument,
                "the task \(task.name) has one loss, of its own: expected no loss and no loss_settings, found those of "
                    + "\"\(loss.name)\"")
        }
        guard options.masking == nil || task.head == .maskedVocabulary else {
            throw GraftError(
                .invalidArgument,
                "\(TokenMasking.name): the task \(task.name) masks no tokens; expected none")
        }
        let objective: any Objective =
            switch task.head {
            case .dense(.rows, .choice): try GroupedObjective(content, task, RightChoice(), options)
            case .dense(.rows, .values):
                if let loss = options.loss {
                    try GroupedObjective(content, task, try scoreLoss(loss, of: task), options)
                } else {
                    try DenseObjective(content, task, .rows, .values, options)
                }
            case .dense(let unit, let outputs): try DenseObjective(content, task, unit, outputs, options)
            case .vocabulary, .maskedVocabulary:
                if let loss = options.loss {
                    try PreferenceObjective(content, task, loss, options)
                } else {
                    try LanguageModelObjective(content, isMasked: task.head == .maskedVocabulary, options)
                }
            case .embedding: try EmbeddingObjective(content, task, options)
            }
        try options.check(labelCount: objective.labels.count)
        return objective
    }

    private static func scoreLoss(_ choice: NamedChoice, of task: Task) throws(GraftError) -> any ScoreLoss {
        let (found, settings) = try Losses.list.find(choice)
        guard let member = found as? any ScoreLoss.Type else { throw found.isNoLoss(of: task) }
        return member.init(settings)
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

    /// Bytes that were touched of working memory, gradients, what optimizer and rule keep, and best
    /// weights. Any thread may ask.
    package var residentByteCount: Int {
        pass.residentByteCount + objective.residentByteCount + optimizer.residentByteCount
            + (rule?.kept.residentByteCount ?? 0)
            + (bestValues?.residentByteCount ?? 0)
    }

    /// One batch of the caller's loop; updates the adapter every `batchesPerStep` calls. Measures
    /// the step so far.
    package func step(_ batch: RowBatch) throws(GraftError) -> Metrics {
        let batch = try rows(of: batch, in: &decoderRows)
        return try adapter.change { () throws(GraftError) in
            let started = Clock.seconds
            try rule?.rule.check(totalSteps: progress.totalSteps)
            var metrics = try accumulate(batch)
            if let length = limit(of: batch) { record(max(length, maximumLength ?? 0)) }
            if waiting.batchCount == options.batchesPerStep { try update(&metrics) }
            finish(&metrics, since: started, tokens: batch.readTokenCount)
            return metrics
        }
    }

    /// The rows that the model learns from: those of a batch, or where it has an encoder, those of
    /// its decoder, in the memory of `decoderRows`. For a head of their own it reads these twice.
    func rows(of batch: RowBatch, in decoderRows: inout RowBatch) throws(GraftError) -> RowBatch {
        guard let tokens = content.model.decoderTokens else { return batch }
        if let unit = content.actingTask?.unit {
            try decoderRows.takeRows(of: batch, tokens, for: unit)
            return decoderRows
        }
        guard try decoderRows.takeTargets(of: batch, tokens) else {
            throw GraftError(.incompatible, "the rows have no targets: expected one for each, set before")
        }
        return decoderRows
    }

    /// At what length rows were cut; nil where they were given as tokens, or where no file sets a
    /// limit.
    func limit(of rows: RowBatch) -> Int? {
        rows.origin.maximumLength ?? (rows.origin.isChosen ? content.model.shape.maximumLength : nil)
    }

    /// Has the adapter remember at what length the rows that it learns from are cut, so that those
    /// it is used on are, too.
    func record(_ length: Int) {
        maximumLength = length
        content.maximumLength = min(length, content.model.shape.maximumLength)
    }

    /// What is learned or measured in a batch's place.
    ///
    /// - Parameter draw: tells random choices apart.
    func prepare(_ batch: RowBatch, drawing draw: UInt64) throws(GraftError) -> RowBatch {
        let key = mixed(mixed(options.seed, Self.preparing), draw)
        return try objective.prepare(batch, into: &prepared, key: key) ? prepared : batch
    }

    /// Keeps what is drawn for batches apart from what dropout draws.
    private static let preparing: UInt64 = 1 << 62
    /// The draw of evaluations, all of which measure the same.
    static let evaluating = UInt64.max

    func finish(_ metrics: inout Metrics, since started: Double, tokens: Int) {
        metrics.step = progress.step
        metrics.totalSteps = progress.totalSteps
        metrics.epoch = progress.epoch
        metrics.tokensPerSecond = Double(tokens) / max(Clock.seconds - started, 1e-9)
    }
}
