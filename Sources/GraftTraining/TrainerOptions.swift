import GraftLayers
import GraftTensor

/// How to train. Defaults are those of `graft_trainer_options_init`; `Benchmarks/recipe.py` measures what they learn.
package struct TrainerOptions: Sendable {
    package enum Optimizer: Int32, Sendable { case adamW = 0, sgd = 1 }

    package var cancelToken: CancelToken?
    package var classWeights: [Float] = []
    package var checkpointPath: String?
    package var seed: UInt64 = 0
    package var passTokenCount = 0
    package var threadCount = 0
    package var optimizer = Optimizer.adamW
    package var schedule = Schedule.Shape.linear
    /// A measure of the task.
    package var metric = Measure.loss.name
    package var learningRate: Float = 1e-3
    package var weightDecay: Float = 0.01
    package var beta1: Float = 0.9
    package var beta2: Float = 0.999
    package var epsilon: Float = 1e-8
    package var momentum: Float = 0.9
    package var maximumGradientNorm: Float = 1
    package var labelSmoothing: Float = 0
    package var warmupRatio: Float = 0.06
    package var warmupSteps = 0
    package var totalSteps = 0
    package var rowsPerBatch = 16
    package var batchesPerStep = 1
    package var epochCount = 6
    package var evaluationSteps = 0
    package var patience = 0
    package var checkpointSteps = 0
    package var groupsByLength = false

    package init() {}

    /// Rows of one batch that dropout can tell apart.
    static let maximumRows = 65_535

    package func check(labelCount: Int) throws(GraftError) {
        func range(_ name: String, _ value: Float, _ range: ClosedRange<Float>) throws(GraftError) {
            guard range.contains(value) else {
                throw GraftError(
                    .invalidArgument, "\(name) must be \(range.lowerBound) to \(range.upperBound), found \(value)")
            }
        }
        func count(_ name: String, _ value: Int, atLeast least: Int, atMost most: Int = 1 << 30) throws(GraftError) {
            guard value >= least, value <= most else {
                throw GraftError(.invalidArgument, "\(name) must be \(least) to \(most), found \(value)")
            }
        }
        try range("learning_rate", learningRate, 0...1e6)
        try range("weight_decay", weightDecay, 0...1e6)
        try range("beta1", beta1, 0...0.999_999_9)
        try range("beta2", beta2, 0...0.999_999_9)
        try range("epsilon", epsilon, Float.leastNormalMagnitude...1)
        try range("momentum", momentum, 0...1)
        try range("maximum_gradient_norm", maximumGradientNorm, 0...1e30)
        try range("label_smoothing", labelSmoothing, 0...1)
        try range("warmup_ratio", warmupRatio, 0...1)
        try count("warmup_steps", warmupSteps, atLeast: 0)
        try count("total_steps", totalSteps, atLeast: 0)
        try count("rows_per_batch", rowsPerBatch, atLeast: 1, atMost: Self.maximumRows)
        try count("batches_per_step", batchesPerStep, atLeast: 1)
        try count("epoch_count", epochCount, atLeast: 1)
        try count("evaluation_steps", evaluationSteps, atLeast: 0)
        try count("patience", patience, atLeast: 0)
        try count("checkpoint_steps", checkpointSteps, atLeast: 0)
        try count("pass_token_count", passTokenCount, atLeast: 0)
        guard classWeights.isEmpty || classWeights.count == labelCount else {
            throw GraftError(
                .invalidArgument, "class_weights has \(classWeights.count) numbers; the head has \(labelCount) labels")
        }
        for (index, weight) in classWeights.enumerated() where !(weight >= 0 && weight.isFinite) {
            throw GraftError(.invalidArgument, "class_weights[\(index)] must be 0 or more, found \(weight)")
        }
    }

    /// Every option that changes the result of training, under its name in C.
    var named: [(name: String, value: String)] {
        [
            ("seed", "\(seed)"), ("optimizer", "\(optimizer)"), ("schedule", "\(schedule)"), ("metric", "\(metric)"),
            ("learning_rate", "\(learningRate)"), ("weight_decay", "\(weightDecay)"), ("beta1", "\(beta1)"),
            ("beta2", "\(beta2)"), ("epsilon", "\(epsilon)"), ("momentum", "\(momentum)"),
            ("maximum_gradient_norm", "\(maximumGradientNorm)"), ("label_smoothing", "\(labelSmoothing)"),
            ("class_weights", "\(classWeights)"), ("warmup_ratio", "\(warmupRatio)"),
            ("warmup_steps", "\(warmupSteps)"), ("total_steps", "\(totalSteps)"),
            ("rows_per_batch", "\(rowsPerBatch)"), ("batches_per_step", "\(batchesPerStep)"),
            ("epoch_count", "\(epochCount)"), ("evaluation_steps", "\(evaluationSteps)"), ("patience", "\(patience)"),
            ("pass_token_count", "\(passTokenCount)"), ("group_by_length", "\(groupsByLength)"),
        ]
    }
}
