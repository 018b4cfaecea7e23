public import CGraft
import GraftLayers
import GraftTensor
import GraftTraining

extension graft_trainer_options: OptionStruct {
    static var defaults: Self {
        let defaults = TrainerOptions()
        var options = zero
        options.optimizer = defaults.optimizer.rawValue
        options.schedule = defaults.schedule.rawValue
        options.learning_rate = defaults.learningRate
        options.weight_decay = defaults.weightDecay
        options.beta1 = defaults.beta1
        options.beta2 = defaults.beta2
        options.epsilon = defaults.epsilon
        options.momentum = defaults.momentum
        options.maximum_gradient_norm = defaults.maximumGradientNorm
        options.warmup_ratio = defaults.warmupRatio
        options.rows_per_batch = Int32(defaults.rowsPerBatch)
        options.batches_per_step = Int32(defaults.batchesPerStep)
        options.epoch_count = Int32(defaults.epochCount)
        options.group_by_length = defaults.groupsByLength ? 1 : 0
        return options
    }

    fileprivate func checked(labelCount: Int) throws(GraftError) -> TrainerOptions {
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
        options.seed = seed
        options.passTokenCount = try count(pass_token_count, "pass_token_count", atMost: 1 << 30)
        options.threadCount = Int(thread_count)
        options.optimizer = try choice(optimizer, TrainerOptions.Optimizer.self, "optimizer")
        options.schedule = try choice(schedule, Schedule.Shape.self, "schedule")
        options.metric = try optionalText(metric, "metric") ?? options.metric
        options.learningRate = learning_rate
        options.weightDecay = weight_decay
        options.beta1 = beta1
        options.beta2 = beta2
        options.epsilon = epsilon
        options.momentum = momentum
        options.maximumGradientNorm = maximum_gradient_norm
        options.labelSmoothing = label_smoothing
        options.warmupRatio = warmup_ratio
        options.warmupSteps = Int(warmup_steps)
        options.totalSteps = Int(total_steps)
        options.rowsPerBatch = Int(rows_per_batch)
        options.batchesPerStep = Int(batches_per_step)
        options.epochCount = Int(epoch_count)
        options.evaluationSteps = Int(evaluation_steps)
        options.patience = Int(patience)
        options.checkpointSteps = Int(checkpoint_steps)
        options.groupsByLength = try flag(group_by_length, "group_by_length")
        guard reserved == 0 else { throw GraftError(.invalidArgument, "reserved must be 0, found \(reserved)") }
        return options
    }
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
                let handle = try metrics.evaluation.map { evaluation throws(GraftError) in
                    try HandleTable.insert(EvaluationHandle(evaluation))
                }
                defer { HandleTable.release(handle ?? nil, EvaluationHandle.self) }
                var now = graft_metrics(metrics, evaluation: handle ?? nil)
                return callBack { progress(user_data, &now) == 0 }
            }
            write(metrics, to: out)
            best?.pointee =
                try metrics.evaluation.map { evaluation throws(GraftError) in
                    try HandleTable.insert(EvaluationHandle(evaluation))
                } ?? nil
        }
    }
}

@c @implementation
public func graft_trainer_evaluate(
    _ trainer: OpaquePointer?, _ dataset: OpaquePointer?, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        var evaluation: Evaluation?
        try HandleTable.with(trainer, Trainer.self, "trainer", .changes) { trainer throws(GraftError) in
            let rows = try HandleTable.borrow(dataset, DatasetHandle.self, "dataset").rows
            evaluation = try trainer.evaluate(rows)
        }
        guard let evaluation else { throw GraftError(.internal, "an evaluation has no result") }
        return EvaluationHandle(evaluation)
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
