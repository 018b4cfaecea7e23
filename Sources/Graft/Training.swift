public import CGraft
import GraftFormats
import GraftLayers
import GraftTensor
import GraftTraining

extension graft_trainer_options: OptionStruct {
    static var defaults: Self {
        let defaults = TrainerOptions()
        var options = zero
        for field in fields { field.write(defaults, &options) }
        return options
    }

    /// Every option that is a number, in the struct and in the core.
    private static var fields: [OptionField<Self, TrainerOptions>] {
        [
            OptionField(\.seed, \.seed),
            OptionField(\.pass_token_count, \.passTokenCount),
            OptionField(\.thread_count, \.threadCount),
            OptionField(\.learning_rate, \.learningRate),
            OptionField(\.maximum_gradient_norm, \.maximumGradientNorm),
            OptionField(\.label_smoothing, \.labelSmoothing),
            OptionField(\.total_steps, \.totalSteps),
            OptionField(\.rows_per_batch, \.rowsPerBatch),
            OptionField(\.batches_per_step, \.batchesPerStep),
            OptionField(\.epoch_count, \.epochCount),
            OptionField(\.evaluation_steps, \.evaluationSteps),
            OptionField(\.patience, \.patience),
            OptionField(\.checkpoint_steps, \.checkpointSteps),
            OptionField("group_by_length", \.group_by_length, \.groupsByLength),
            OptionField("recompute_layers", \.recompute_layers, \.recomputesLayers),
        ]
    }

    fileprivate func checked(labelCount: Int) throws(GraftError) -> TrainerOptions {
        guard reserved == 0 else { throw GraftError(.invalidArgument, "reserved must be 0, found \(reserved)") }
        var options = TrainerOptions()
        options.cancelToken = try HandleTable.borrowOptional(cancel_token, CancelToken.self, "cancel_token")
        if let class_weights {
            guard labelCount > 0 else {
                throw GraftError(.invalidArgument, "class_weights: a language model's tokens have no classes")
            }
            options.classWeights = try copied(
                UnsafeBufferPointer(start: class_weights, count: labelCount), "class_weights")
        }
        options.checkpointPath = try optionalText(checkpoint_path, "checkpoint_path")
        options.optimizer = try choice(optimizer, optimizer_settings, "optimizer", by: options.optimizer)
        options.schedule = try choice(schedule, schedule_settings, "schedule", by: options.schedule)
        options.stepPlan = try choice(step_plan, step_plan_settings, "step_plan", by: options.stepPlan)
        if loss != nil || loss_settings != nil {
            options.loss = try choice(loss, loss_settings, "loss", by: NamedChoice(Losses.ofVectors))
        }
        options.masking = try optionalText(masking, "masking").map { text throws(GraftError) in
            try TokenMasking(json: text)
        }
        options.metric = try optionalText(metric, "metric") ?? options.metric
        for field in Self.fields { try field.read(self, &options) }
        return options
    }
}

private let optimizers = LentList(Optimizers.list)
private let schedules = LentList(Schedules.list)
private let stepPlans = LentList(StepPlans.list)
private let losses = LentList(Losses.list)

@c @implementation
public func graft_optimizer_count() -> Int32 { optimizers.lent.count }

@c @implementation
public func graft_optimizer_name(_ index: Int32) -> UnsafePointer<CChar>? { optimizers.lent[index] }

@c @implementation
public func graft_optimizer_settings(_ name: UnsafePointer<CChar>?) -> UnsafePointer<CChar>? {
    optimizers.settings(name)
}

@c @implementation
public func graft_schedule_count() -> Int32 { schedules.lent.count }

@c @implementation
public func graft_schedule_name(_ index: Int32) -> UnsafePointer<CChar>? { schedules.lent[index] }

@c @implementation
public func graft_schedule_settings(_ name: UnsafePointer<CChar>?) -> UnsafePointer<CChar>? {
    schedules.settings(name)
}

@c @implementation
public func graft_step_plan_count() -> Int32 { stepPlans.lent.count }

@c @implementation
public func graft_step_plan_name(_ index: Int32) -> UnsafePointer<CChar>? { stepPlans.lent[index] }

@c @implementation
public func graft_step_plan_settings(_ name: UnsafePointer<CChar>?) -> UnsafePointer<CChar>? {
    stepPlans.settings(name)
}

@c @implementation
public func graft_loss_count() -> Int32 { losses.lent.count }

@c @implementation
public func graft_loss_name(_ index: Int32) -> UnsafePointer<CChar>? { losses.lent[index] }

@c @implementation
public func graft_loss_settings(_ name: UnsafePointer<CChar>?) -> UnsafePointer<CChar>? {
    losses.settings(name)
}

extension graft_metrics: OptionStruct {
    static var defaults: Self { Self(Metrics()) }

    /// `evaluation` is the handle of the metrics' evaluation, where the caller gets one.
    init(_ metrics: Metrics, evaluation: OpaquePointer? = nil) {
        self = .zero
        self.evaluation = evaluation
        loss = metrics.loss
        learning_rate = metrics.learningRate
        gradient_norm = metrics.gradientNorm
        tokens_per_second = metrics.tokensPerSecond
        step = Int64(metrics.step)
        total_steps = Int64(metrics.totalSteps)
        epoch = Int64(metrics.epoch)
        row_count = Int64(metrics.rowCount)
        token_count = Int64(metrics.tokenCount)
    }
}

/// Checks a caller's place for metrics before the work begins.
private func check(_ out: UnsafeMutablePointer<graft_metrics>?) throws(GraftError) {
    if let out { try graft_metrics.checkSize(out.pointee.struct_size, "out") }
}

private func write(_ metrics: Metrics, to out: UnsafeMutablePointer<graft_metrics>?) {
    if let out { graft_metrics(metrics).write(to: out) }
}

@c @implementation
public func graft_trainer_options_init(_ options: UnsafeMutablePointer<graft_trainer_options>?, _ struct_size: Int) {
    graft_trainer_options.initialize(options, size: struct_size)
}

@c @implementation
public func graft_metrics_init(_ metrics: UnsafeMutablePointer<graft_metrics>?, _ struct_size: Int) {
    graft_metrics.initialize(metrics, size: struct_size)
}

@c @implementation
public func graft_trainer_create(
    _ model: OpaquePointer?, _ adapter: OpaquePointer?, _ options: UnsafePointer<graft_trainer_options>?,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let model = try HandleTable.borrow(model, ModelHandle.self, "model").model
        let adapter = try HandleTable.borrow(adapter, AdapterHandle.self, "adapter").adapter
        guard adapter.content.model === model else {
            throw GraftError(.incompatible, "the adapter was made for another model object")
        }
        let options = try graft_trainer_options.read(options, "options").checked(
            labelCount: adapter.content.labelCount)
        return try Trainer(adapter: adapter, options: options)
    }
}

@c @implementation
public func graft_trainer_step(
    _ trainer: OpaquePointer?, _ batch: OpaquePointer?, _ out: UnsafeMutablePointer<graft_metrics>?
) -> graft_status {
    call { () throws(GraftError) in
        try HandleTable.with(trainer, Trainer.self, "trainer", .changes) { trainer throws(GraftError) in
            let rows = try HandleTable.borrow(batch, BatchHandle.self, "batch").content.rows
            try check(out)
            write(try trainer.step(rows), to: out)
        }
    }
}

@c @implementation
public func graft_trainer_fit(
    _ trainer: OpaquePointer?, _ dataset: OpaquePointer?, _ evaluation: OpaquePointer?,
    _ progress: graft_progress_callback?, _ user_data: UnsafeMutableRawPointer?,
    _ out: UnsafeMutablePointer<graft_metrics>?, _ best: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    call { () throws(GraftError) in
        try HandleTable.with(trainer, Trainer.self, "trainer", .changes) { trainer throws(GraftError) in
            let rows = try HandleTable.borrow(dataset, DatasetHandle.self, "dataset").rows
            let held = try HandleTable.borrowOptional(evaluation, DatasetHandle.self, "evaluation")?.rows
            try check(out)
            let metrics = try trainer.fit(rows, evaluation: held) { metrics throws(GraftError) in
                guard let progress else { return true }
                let evaluation = try handle(of: metrics.evaluation)
                defer { HandleTable.release(evaluation, EvaluationHandle.self) }
                var now = graft_metrics(metrics, evaluation: evaluation)
                return callBack { progress(user_data, &now) == 0 }
            }
            write(metrics, to: out)
            best?.pointee = try handle(of: metrics.evaluation)
        }
    }
}

private func handle(of evaluation: Evaluation?) throws(GraftError) -> OpaquePointer? {
    guard let evaluation else { return nil }
    return try HandleTable.insert(EvaluationHandle(evaluation))
}

@c @implementation
public func graft_trainer_evaluate(
    _ trainer: OpaquePointer?, _ dataset: OpaquePointer?, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        try HandleTable.with(trainer, Trainer.self, "trainer", .changes) { trainer throws(GraftError) in
            let rows = try HandleTable.borrow(dataset, DatasetHandle.self, "dataset").rows
            return EvaluationHandle(try trainer.evaluate(rows))
        }
    }
}

@c @implementation
public func graft_trainer_save(_ trainer: OpaquePointer?, _ path: UnsafePointer<CChar>?) -> graft_status {
    call { () throws(GraftError) in
        try HandleTable.with(trainer, Trainer.self, "trainer", .reads) { trainer throws(GraftError) in
            try trainer.save(to: try text(path, "path"))
        }
    }
}

@c @implementation
public func graft_trainer_resume(_ trainer: OpaquePointer?, _ path: UnsafePointer<CChar>?) -> graft_status {
    call { () throws(GraftError) in
        try HandleTable.with(trainer, Trainer.self, "trainer", .changes) { trainer throws(GraftError) in
            try trainer.resume(from: try text(path, "path"))
        }
    }
}

@c @implementation
public func graft_trainer_retain(_ trainer: OpaquePointer?) -> graft_status {
    retain(trainer, Trainer.self, "trainer")
}

@c @implementation
public func graft_trainer_release(_ trainer: OpaquePointer?) { HandleTable.release(trainer, Trainer.self) }

@c @implementation
public func graft_trainer_memory(_ trainer: OpaquePointer?) -> Int64 {
    HandleTable.peek(trainer, Trainer.self).map { Int64($0.residentByteCount) } ?? -1
}
