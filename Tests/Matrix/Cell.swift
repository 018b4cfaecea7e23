import Glibc
import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTraining

/// One combination that must work: a method on an architecture, for a task, at a precision.
package struct Cell: Sendable, CustomStringConvertible {
    package let architecture: String
    package let method: String
    /// Of the method; nil for its defaults.
    package let settings: String?
    /// nil for none.
    package let task: GraftAdapters.Task?
    package let precision: Precision

    package init(
        architecture: String, method: String, settings: String? = nil, task: GraftAdapters.Task?, precision: Precision
    ) {
        self.architecture = architecture
        self.method = method
        self.settings = settings
        self.task = task
        self.precision = precision
    }

    /// Methods with their defaults, and with settings that make them another method.
    private static let methods: [(name: String, settings: String?)] =
        AdapterMethods.names.map { ($0, nil) } + [("lora", "{\"use_dora\": true}")]

    /// All combinations of what the registries list. Encoders have no next tokens and decoders no
    /// masked ones to tell, and some no class with a head of tokens; models that read rows and
    /// write others have the heads that transformers has classes of; choices need a pooler where
    /// the architecture's class reads it. Another task that lacks a tiny model is a cell none the
    /// less, whose tests say so.
    package static let all = pairs.flatMap(cells)

    /// Those that are tried: one of every third method on each architecture, from one to the next
    /// the others, the same ones each time, with another task and precision from pair to pair; a
    /// third of them on an instruction set or an executor that is asked for; with
    /// GRAFT_TEST_WHOLE=1 (`make test-whole`) all.
    package static let tried: [Cell] = {
        if getenv("GRAFT_TEST_WHOLE") != nil { return all }
        let isOther = getenv("GRAFT_KERNELS") != nil || getenv("GRAFT_EXECUTOR") != nil
        let chosen = pairs.enumerated().compactMap { number, pair -> Cell? in
            guard (number / methods.count + number % methods.count) % 3 == 0 else { return nil }
            let own = cells(pair)
            return own.isEmpty ? nil : own[number * 7 % own.count]
        }
        return chosen.enumerated().filter { !isOther || $0.offset % 3 == 0 }.map(\.element)
    }()

    private typealias Pair = (architecture: String, method: (name: String, settings: String?))

    private static let pairs: [Pair] = Architectures.names.flatMap { architecture in
        methods.map { (architecture, $0) }
    }

    /// All of a method on an architecture.
    private static func cells(_ pair: Pair) -> [Cell] {
        let (architecture, method) = pair
        let someReadSources = TinyModels.readSources(architecture)
        var cells: [Cell] = []
        for task in [nil] + Tasks.all.map(Optional.some) {
            let model = try? TinyModels.model(architecture, task, .float32)
            let readsSources = model?.decoderTokens != nil
            if readsSources, !AdapterMethods.fitSources(method.name) { continue }
            if model == nil, someReadSources || task.map({ $0.readsVocabulary || $0.unit == .tokens }) ?? false {
                continue
            }
            if case .dense(_, .choice) = task?.head, let model, model.lacksPoolerForChoices { continue }
            // With other settings a method meets the other heads as it does with its defaults.
            if method.settings != nil, !readsSources, let task, task != Tasks.all.first { continue }
            for precision in Precision.allCases {
                cells.append(
                    Cell(
                        architecture: architecture, method: method.name, settings: method.settings, task: task,
                        precision: precision))
            }
        }
        return cells
    }

    /// Those of a task that has a loss.
    package static let trained = tried.filter { $0.task != nil }

    package var description: String {
        "\(method) \(settings ?? "") on \(architecture), task \(task?.name ?? "none"), \(precision)"
    }

    package func model() throws -> Model { try TinyModels.model(architecture, task, precision) }

    /// Whether an encoder reads the rows, and a decoder what that makes of them.
    package var readsSources: Bool { (try? model())?.decoderTokens != nil }

    /// A fresh adapter.
    package func adapter(seed: UInt64 = 1) throws -> Adapter { try adapter(method, config: settings, seed: seed) }

    /// For a method that has a kink by default, as ReLU's, where no central difference is a
    /// gradient.
    private static let smoothSettings = ["bottleneck": "{\"non_linearity\": \"gelu\"}"]

    /// Adapters of all methods, this one's first, smooth, with numbers that change what the model
    /// computes.
    package func actingAdapters() throws -> [Adapter] {
        let others = AdapterMethods.names.filter { $0 != method && (!readsSources || AdapterMethods.fitSources($0)) }
        return try ([method] + others).enumerated().map { number, name in
            let config = number == 0 && settings != nil ? settings : Self.smoothSettings[name]
            let adapter = try adapter(name, config: config, seed: UInt64(number))
            let content = adapter.content
            for tensor in content.plan.tensors {
                var random = RandomNumbers(seed: UInt64(number), stream: "acting " + tensor.name)
                for index in 0..<tensor.parameter.count {
                    content.values[tensor.parameter.offset + index] += random.normal() * 0.1
                }
            }
            adapter.markChanged()
            return adapter
        }
    }

    private func adapter(_ method: String, config: String? = nil, seed: UInt64) throws -> Adapter {
        let adapter = try Adapter(model: try model(), method: method, config: config, seed: seed)
        guard let task else { return adapter }
        // AdapterHub knows heads of one value alone.
        let labels = task.outputNames ?? (task.outputs == .values ? ["value"] : ["O", "B-A", "I-A"])
        let head = HeadSettings(labels: labels, dropout: nil, trainsDense: false)
        try adapter.set(task, task.hasOwnHead ? head : nil)
        return adapter
    }

    /// Rows of 2 to 10 tokens. What is to be learned of a row is told by one token of it; of a
    /// token, by itself.
    package func rows(count: Int, seed: UInt64 = 1) throws -> RowBatch {
        let model = try model()
        let vocabulary = model.shape.vocabularySize
        var random = RandomNumbers(seed: seed, stream: "rows")
        var batch = RowBatch()
        var labels: [Int32] = []
        for row in 0..<count {
            let label = row % 3
            var tokens = (0..<1 + row % 9).map { _ in Int32(10 + random.below(vocabulary - 10)) }
            tokens.insert(Int32(3 + label), at: random.below(tokens.count + 1))
            if task?.unit == .rows, let end = model.decoderTokens?.end { tokens.append(end) }
            batch.append(tokens: tokens, types: nil as [Int32]?)
            labels.append(Int32(label))
        }
        guard let task else { return batch }
        switch task.head {
        case .dense(.rows, .oneLabel): batch.set(task.column, labels)
        case .dense(.rows, .labels):
            let sets = labels.flatMap { label in [1, label == 1 ? 1 : 0, label == 2 ? 1 : 0] as [Float] }
            batch.set(Column(task.column, floats: sets, width: 3))
        case .dense(_, .choice):
            // Of each two rows the one is right that has the smaller label; of equals the first.
            batch.set(.groupPlaces, (0..<count).map { Int32($0 % 2) })
            let rights = (0..<count).map { row -> Int32 in
                let isFirst = row % 2 == 0
                let other = isFirst ? row + 1 : row - 1
                guard other < count else { return 1 }
                return labels[row] < labels[other] || (labels[row] == labels[other] && isFirst) ? 1 : 0
            }
            batch.set(task.column, rights)
        case .dense(_, .values): batch.set(Column(task.column, floats: labels.map { Float($0) - 0.5 }))
        case .dense(_, .span):
            // From the token that tells the label on, so many tokens.
            let spans = (0..<count).flatMap { row in
                let own = batch.range(ofRow: row)
                let start = own.first { (3...5).contains(batch.tokens[$0]) } ?? own.lowerBound
                return [start, min(start + row % 2, own.upperBound - 1)].map { Int32($0 - own.lowerBound) }
            }
            batch.set(Column(task.column, integers: spans, width: 2))
        case .dense: batch.set(task.column, batch.tokens.map { $0 % 5 == 0 ? -100 : $0 % 3 })
        case .vocabulary where task == .sequenceToSequence: batch.set(targets: batch)
        case .vocabulary, .maskedVocabulary: batch.set(task.column, batch.tokens)
        case .embedding:
            // Pairs that are to be alike.
            batch.set(task.column, (0..<count).map { Int32($0 % 2) })
            batch.set(Column(.targets, floats: [Float](repeating: 1, count: count)))
        }
        return batch
    }

    /// For a method whose change of a weight is a product of three that start small.
    private static let learningRates: [String: Float] = ["adalora": 5e-2]

    /// Of a run of forty steps.
    package func options(threads: Int = 1, checkpoint: String? = nil) -> TrainerOptions {
        var options = TrainerOptions()
        options.seed = 3
        options.learningRate = Self.learningRates[method] ?? 1e-2
        options.rowsPerBatch = 4
        // A decoder reads the token before each, and learns longer where an answer begins.
        options.epochCount = readsSources && task?.outputs == .span ? 24 : 8
        options.evaluationSteps = 4
        options.threadCount = threads
        options.checkpointPath = checkpoint
        options.checkpointSteps = 1
        // Few batches of random pairs teach nothing of which belong together.
        if task?.head == .embedding { options.loss = NamedChoice("cosine_similarity") }
        return options
    }

    /// Trains a fresh adapter on twenty rows.
    package func train(_ options: TrainerOptions) throws -> Adapter {
        let adapter = try adapter()
        _ = try Trainer(adapter: adapter, options: options).fit(
            try rows(count: 20), evaluation: try rows(count: 10, seed: 2)
        ) { _ in true }
        return adapter
    }
}

extension Model {
    fileprivate var lacksPoolerForChoices: Bool {
        conventions.headReadsPooler(.choices) && !missingForClassification.isEmpty
    }
}

extension GraftAdapters.Task {
    /// Whether it tells tokens of the vocabulary.
    fileprivate var readsVocabulary: Bool { head == .vocabulary || head == .maskedVocabulary }
}
