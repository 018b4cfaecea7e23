import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport

@testable import GraftTraining

/// A small model with a data set it can learn, and everything a test changes about training on it.
struct TrainingFixture {
    let model: Model
    let dataset: RowBatch
    let evaluation: RowBatch

    /// - Parameters:
    ///   - changes: of config.json, as `Goldens.withoutDropout`.
    ///   - folder: of the model; nil for bert-tiny's with those changes.
    init(
        rows: Int = 50, precision: Precision = .float32, changing changes: [String: JSON] = [:], folder: String? = nil
    ) throws {
        let name = "bert-tiny/sequence-classification"
        model = try Architectures.load(
            path: try folder ?? (changes.isEmpty ? Goldens.path(name) : Goldens.copyOfModel(name, changing: changes)),
            precision: precision)
        dataset = Self.rows(count: rows, seed: 1)
        evaluation = Self.rows(count: 30, seed: 2)
    }

    /// Rows of 2 to 12 tokens; the label is told by one token that stands anywhere in the row.
    static func rows(count: Int, seed: UInt64, longest: Int = 12) -> RowBatch {
        var random = RandomNumbers(seed: seed, stream: "rows")
        var batch = RowBatch()
        var labels: [Int32] = []
        for _ in 0..<count {
            let label = random.below(3)
            var tokens = (0..<1 + random.below(longest - 1)).map { _ in Int32(10 + random.below(100)) }
            tokens.insert(Int32(2 + label), at: random.below(tokens.count + 1))
            batch.append(tokens: tokens, types: nil as [Int32]?)
            labels.append(Int32(label))
        }
        batch[.labels] = labels
        return batch
    }

    /// An adapter with a head of three labels, that drops out and changes the model from the start.
    func adapter(
        dropout: Double = 0.1, seed: UInt64 = 3, settings: String = "", pooling: Pooling? = nil,
        hasDenseLayer: Bool = false
    ) throws -> Adapter {
        let start = settings.contains("init_lora_weights") ? "" : ", \"init_lora_weights\": false"
        let usual = [("lora_alpha", "8"), ("target_modules", "null")].filter { !settings.contains("\"\($0.0)\"") }
            .map { ", \"\($0.0)\": \($0.1)" }.joined()
        let adapter = try Adapter(
            model: model, method: "lora",
            config: "{\"r\": 4, \"lora_dropout\": \(dropout)\(start)\(usual)\(settings)}", seed: seed)
        try adapter.set(
            .sequenceClassification,
            HeadSettings(
                labels: ["a", "b", "c"], dropout: dropout == 0 ? 0 : nil, trainsDense: hasDenseLayer, pooling: pooling))
        return adapter
    }

    /// A bottleneck with a head of two layers, whose weights are as wide as its output shows.
    func bottleneck(dropout: Double, settings: String, pooling: Pooling? = nil) throws -> Adapter {
        let adapter = try Adapter(
            model: model, method: "bottleneck",
            config: "{\"reduction_factor\": 4, \"dropout\": \(dropout)\(settings)}", seed: 3)
        try adapter.set(
            .sequenceClassification,
            HeadSettings(
                labels: ["a", "b", "c"], dropout: dropout == 0 ? 0 : nil, trainsDense: true, pooling: pooling))
        var random = RandomNumbers(seed: 3, stream: settings)
        for tensor in adapter.content.plan.tensors {
            for index in 0..<tensor.parameter.count {
                adapter.content.values[tensor.parameter.offset + index] = random.normal() * 0.3
            }
        }
        return adapter
    }

    /// The peak rate from the first step on, where a test's other options have no warm-up in steps.
    static let constant = NamedChoice("constant", ["warmup_ratio": 0])

    /// Options for a short run whose every step does something.
    static func options(_ change: (inout TrainerOptions) -> Void = { _ in }) -> TrainerOptions {
        var options = TrainerOptions()
        options.learningRate = 5e-3
        options.rowsPerBatch = 8
        options.epochCount = 2
        options.threadCount = 1
        options.seed = 11
        change(&options)
        return options
    }

    /// Trains a fresh adapter to the end and returns its numbers.
    func fitted(_ options: TrainerOptions, dropout: Double = 0.1, evaluates: Bool = true) throws -> [Float] {
        let trainer = try Trainer(adapter: try adapter(dropout: dropout), options: options)
        _ = try trainer.fit(dataset, evaluation: evaluates ? evaluation : nil) { _ in true }
        return trainer.values
    }
}

extension Trainer {
    /// The adapter's numbers.
    var values: [Float] { Array(UnsafeBufferPointer(start: content.values, count: optimizer.count)) }
    /// The numbers of the best evaluation.
    var bestNumbers: [Float] {
        bestValues.map { Array(UnsafeBufferPointer(start: $0.floats(), count: optimizer.count)) } ?? []
    }
    /// An array that the optimizer keeps.
    func kept(_ name: String) -> [Float] {
        optimizer.kept[name].map { Array(UnsafeBufferPointer(start: $0, count: optimizer.count)) } ?? []
    }
    var gradients: [Float] { Array(UnsafeBufferPointer(start: optimizer.gradients, count: optimizer.count)) }
}

func bits(_ numbers: [Float]) -> [UInt32] { numbers.map(\.bitPattern) }
