import GraftAdapters
import GraftFormats
import GraftLayers
import GraftTensor

/// How to train. Defaults are those of `graft_trainer_options_init`; `Benchmarks/recipe.py`
/// measures what they learn.
package struct TrainerOptions: Sendable {

    package var cancelToken: CancelToken?
    package var classWeights: [Float] = []
    package var checkpointPath: String?
    package var optimizer = NamedChoice(AdamW.name)
    package var schedule = NamedChoice(Linear.name)
    package var stepPlan = NamedChoice(Plain.name)
    /// Of a task that has several; nil: its first.
    package var loss: NamedChoice?
    /// How tokens are masked for `masked_language_model`; nil: labels are given.
    package var masking: TokenMasking?
    package var seed: UInt64 = 0
    package var passTokenCount = 0
    package var threadCount = 0
    /// A measure of the task.
    package var metric = Measure.loss.name
    package var learningRate: Float = 1e-3
    package var maximumGradientNorm: Float = 1
    package var labelSmoothing: Float = 0
    package var totalSteps = 0
    package var rowsPerBatch = 16
    package var batchesPerStep = 1
    package var epochCount = 6
    package var evaluationSteps = 0
    package var patience = 0
    package var checkpointSteps = 0
    package var groupsByLength = false
    /// Changes no result.
    package var recomputesLayers = false

    package init() {}

    /// Rows of one batch that dropout can tell apart.
    static let maximumRows = 65_535

    /// Every option that is a number: its name in C, where it is kept, what it may be, and whether
    /// results depend on it.
    private static var numbers: [NumberOption] {
        [
            NumberOption("learning_rate", \.learningRate, 0...1e6),
            NumberOption("maximum_gradient_norm", \.maximumGradientNorm, 0...1e30),
            NumberOption("label_smoothing", \.labelSmoothing, 0...1),
            NumberOption("total_steps", \.totalSteps),
            NumberOption("rows_per_batch", \.rowsPerBatch, 1...maximumRows),
            NumberOption("batches_per_step", \.batchesPerStep, 1...1 << 30),
            NumberOption("epoch_count", \.epochCount, 1...1 << 30),
            NumberOption("evaluation_steps", \.evaluationSteps),
            NumberOption("patience", \.patience),
            NumberOption("checkpoint_steps", \.checkpointSteps, changesResults: false),
            NumberOption("pass_token_count", \.passTokenCount),
        ]
    }

    package func check(labelCount: Int) throws(GraftError) {
        for option in Self.numbers { try option.check(self) }
        guard classWeights.isEmpty || classWeights.count == labelCount else {
            throw GraftError(
                .invalidArgument, "class_weights has \(classWeights.count) numbers; the head has \(labelCount) labels")
        }
        for (index, weight) in classWeights.enumerated() where !(weight >= 0 && weight.isFinite) {
            throw GraftError(.invalidArgument, "class_weights[\(index)] must be 0 or more, found \(weight)")
        }
    }

    /// For tasks that do not choose one of several labels.
    func refuseLabelSettings(of task: Task) throws(GraftError) {
        for (name, isSet) in [("class_weights", !classWeights.isEmpty), ("label_smoothing", labelSmoothing != 0)]
        where isSet {
            throw GraftError(
                .invalidArgument, "\(name) is for tasks that choose one of several labels; the task is \(task.name)")
        }
    }

    /// Every option that changes the result of training, under its name in C; what is chosen by
    /// name is in `NamedOptions`.
    var recorded: JSONObject {
        var object = JSONObject()
        object["seed"] = .number(String(seed))
        object["metric"] = .string(metric)
        for option in Self.numbers where option.changesResults { object[option.name] = option.value(self) }
        object["class_weights"] = .array(classWeights.map { .number("\($0)") })
        object["group_by_length"] = .bool(groupsByLength)
        if let masking { object[TokenMasking.name] = .object(masking.settings.values) }
        return object
    }
}

/// An option of training that is a number.
private struct NumberOption {
    let name: String
    let changesResults: Bool
    let value: (TrainerOptions) -> JSON
    private let expected: String
    private let isAllowed: (TrainerOptions) -> Bool

    init<Number: Comparable>(
        _ name: String, _ path: KeyPath<TrainerOptions, Number>, _ range: ClosedRange<Number>,
        changesResults: Bool = true
    ) {
        self.name = name
        self.changesResults = changesResults
        value = { .number("\($0[keyPath: path])") }
        expected = "\(range.lowerBound) to \(range.upperBound)"
        isAllowed = { range.contains($0[keyPath: path]) }
    }

    /// A count that may be 0.
    init(_ name: String, _ path: KeyPath<TrainerOptions, Int>, changesResults: Bool = true) {
        self.init(name, path, 0...1 << 30, changesResults: changesResults)
    }

    func check(_ options: TrainerOptions) throws(GraftError) {
        guard isAllowed(options) else {
            throw GraftError(.invalidArgument, "\(name) must be \(expected), found \(value(options).briefText)")
        }
    }
}
