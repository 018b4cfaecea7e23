import GraftAdapters
import GraftFormats
import GraftInference
import GraftLayers
import GraftMatrix
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Heads whose labels are a chain, from the loss to files. The kernels' own tests hold their
/// numbers.
@Suite struct ChainTests {
    static let labels = ["O", "B-A", "I-A"]
    private let source: ModelFolder
    private let model: Model

    init() throws {
        source = try ModelFolder(path: Goldens.copyOfModel("bert-tiny/base", changing: Goldens.withoutDropout))
        model = try Architectures.load(source, precision: .float32)
    }

    private func adapter(
        _ method: String = "lora", seed: UInt64 = 3, hasChain: Bool = true, isRandom: Bool = false
    ) throws -> Adapter {
        let adapter = try Adapter(model: model, method: method, config: nil, seed: seed)
        try adapter.set(
            .tokenClassification,
            HeadSettings(labels: Self.labels, dropout: 0, trainsDense: false, hasChain: hasChain))
        var random = RandomNumbers(seed: 5, stream: "chain")
        let content = adapter.content
        for tensor in content.plan.tensors where isRandom && tensor.name.contains("transitions") {
            for index in 0..<tensor.parameter.count {
                content.values[tensor.parameter.offset + index] = random.normal()
            }
        }
        return adapter
    }

    /// Rows of 2 to 8 tokens; those of every third place have no label, and the others have two in
    /// turns.
    private func rows(_ count: Int = 12, isLabelled: Bool = true) -> RowBatch {
        var random = RandomNumbers(seed: 1, stream: "rows")
        var batch = RowBatch()
        var labels: [Int32] = []
        for _ in 0..<count {
            let tokens = (0..<2 + random.below(7)).map { _ in Int32(10 + random.below(50)) }
            batch.append(tokens: tokens, types: nil as [Int32]?)
            labels += tokens.indices.map { $0 % 3 == 2 ? -100 : 1 + Int32($0 - $0 / 3) % 2 }
        }
        if isLabelled { batch.set(.tokenLabels, labels) }
        return batch
    }

    private func predictions(
        _ adapter: Adapter, _ rows: RowBatch, best: Int = 1, threads: Int = 1
    ) throws -> [Session.Prediction] {
        let session = try Session(model: model, threadCount: threads, passTokenCount: 0, cancelToken: nil)
        try session.attach(try Composition(adapter: adapter, scale: 1))
        return try session.predict(rows, adapters: [], bestCount: best)
    }

    @Test("Gradients are the central differences of the loss")
    func gradients() throws {
        let adapter = try adapter(isRandom: true)
        let trainer = try Trainer(adapter: adapter, options: TrainingFixture.options())
        var checked = 0
        for numbers in try CentralDifferences(trainer, adapter: adapter, rows(), steps: [0.01], others: 3).checked {
            let scale = numbers.map { abs($0.gradient) }.max() ?? 0
            for number in numbers {
                #expect(
                    abs(Double(number.gradient) - number.differences[0]) < 1e-4 + 2e-3 * Double(scale), "\(number)")
                checked += number.tensor.contains("transitions") && abs(number.gradient) > 1e-3 ? 1 : 0
            }
        }
        #expect(checked >= 6)
    }

    @Test("Whose numbers are zero it labels and loses as a head without it")
    func zero() throws {
        let (chained, plain) = (try adapter(), try adapter(hasChain: false))
        let values = try [chained, plain].map { adapter in
            let measured = try Trainer(adapter: adapter, options: TrainingFixture.options()).evaluate(rows())
            return [measured.value("loss"), measured.value("accuracy"), measured.value("entity_f1")]
        }
        for (own, other) in zip(values[0], values[1]) { #expect(abs(own - other) < 1e-5) }
        for isLabelled in [true, false] {
            let own = try predictions(chained, rows(isLabelled: isLabelled), best: 3)
            let other = try predictions(plain, rows(isLabelled: isLabelled), best: 3)
            #expect(own.map(\.label) == other.map(\.label))
            for (own, other) in zip(own, other) { #expect(abs(own.probability - other.probability) < 1e-5) }
        }
    }

    @Test("It learns which labels follow each other, and evaluations measure the likeliest labels of rows")
    func learns() throws {
        let adapter = try adapter(isRandom: true)
        let trainer = try Trainer(
            adapter: adapter, options: TrainingFixture.options { ($0.epochCount, $0.learningRate) = (30, 0.02) })
        let before = try trainer.evaluate(rows()).value("loss")
        _ = try trainer.fit(rows(), evaluation: nil) { _ in true }
        let measured = try trainer.evaluate(rows())
        #expect(measured.value("loss") < 0.5 * before)
        let (labels, found) = (rows().integers(.tokenLabels), try predictions(adapter, rows()))
        let counted = labels.indices.filter { labels[$0] >= 0 }
        let right = counted.count { labels[$0] == found[$0].label }
        #expect(abs(measured.value("accuracy") - Double(right) / Double(counted.count)) < 1e-9)
    }

    @Test("A row's tokens are those with labels, else first tokens of words, else all; the best label comes first")
    func places() throws {
        let adapter = try adapter(isRandom: true)
        var row = RowBatch()
        row.append(tokens: [4, 20, 21, 22, 23, 5], types: nil as [Int32]?)
        let all = try predictions(adapter, row, best: 3)
        var labelled = row
        labelled.set(.tokenLabels, [-100, 0, -100, 0, 0, -100])
        var worded = row
        worded.set(.tokenWords, [-1, 0, 0, 1, 2, -1])
        let some = try predictions(adapter, labelled, best: 3)
        #expect(try predictions(adapter, worded, best: 3) == some)
        #expect(some != all)
        for token in 0..<6 {
            #expect(abs(some[3 * token..<3 * token + 3].reduce(0) { $0 + $1.probability } - 1) < 1e-5)
            #expect(Set(some[3 * token..<3 * token + 3].map(\.label)) == [0, 1, 2])
            #expect(try predictions(adapter, labelled)[token] == some[3 * token])
        }
    }

    @Test("Rows are labelled as by themselves, by any number of threads")
    func independent() throws {
        let adapter = try adapter(isRandom: true)
        let found = try predictions(adapter, rows(), best: 2)
        #expect(try predictions(adapter, rows(), best: 2, threads: 3) == found)
        for row in 0..<rows().rowCount {
            let tokens = rows().range(ofRow: row)
            var own = RowBatch()
            own.append(tokens: rows().tokens[tokens], types: nil as [Int32]?)
            own.set(.tokenLabels, Array(rows().integers(.tokenLabels)[tokens]))
            #expect(
                try predictions(adapter, own, best: 2) == Array(found[2 * tokens.lowerBound..<2 * tokens.upperBound]))
        }
    }

    @Test(
        "It is saved and loaded with its adapter, and not without its tensors or what says it",
        arguments: ["lora", "bottleneck"])
    func files(method: String) throws {
        let adapter = try adapter(method, isRandom: true)
        let files = try adapter.files()
        let loaded = try load(files)
        #expect(loaded.content.plan.head?.chain != nil && loaded.content.labels == Self.labels)
        #expect(try predictions(loaded, rows()) == (try predictions(adapter, rows())))
        loaded.markChanged()
        #expect(try loaded.files().map(\.bytes) == files.map(\.bytes))
        for (flag, other) in [("\"crf\": true", "\"crf\": false"), ("transitions", "transitionz")] {
            let broken = files.map { (name: $0.name, bytes: replacing(flag, by: other, in: $0.bytes)) }
            #expect(broken.map(\.bytes) != files.map(\.bytes))
            #expect(throws: GraftError.self) { try load(broken) }
        }
        guard method == "lora" else { return }
        let delta = try Composition(adapter: adapter, scale: 1).weightDelta()
        let error = #expect(throws: GraftError.self) { try MergedModel.view(of: source, model: model, delta) }
        #expect(error?.code == .unsupported && error?.message.contains("crf") == true)
    }

    private func load(_ files: [(name: String, bytes: [UInt8])]) throws -> Adapter {
        let memory = files.map { file in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: file.bytes.count, alignment: 16)
            copy.copyBytes(from: file.bytes)
            return (file.name, UnsafeRawBufferPointer(copy))
        }
        defer { for (_, bytes) in memory { bytes.deallocate() } }
        return try Adapter(model: model, InputFolder(memory, path: "files"))
    }

    private func replacing(_ text: String, by other: String, in bytes: [UInt8]) -> [UInt8] {
        let (from, to) = (Array(text.utf8), Array(other.utf8))
        var (result, index) = ([UInt8](), 0)
        while index < bytes.count {
            let isFound = bytes[index...].starts(with: from)
            result += isFound ? to : [bytes[index]]
            index += isFound ? from.count : 1
        }
        return result
    }

    @Test("A run that was stopped and resumed ends with the bits of one that was not")
    func resumed() throws {
        let path = try Goldens.temporaryFolder() + "/checkpoint"
        func trainer(seed: UInt64, path: String?) throws -> Trainer {
            try Trainer(
                adapter: try adapter(seed: seed),
                options: TrainingFixture.options {
                    $0.rowsPerBatch = 4
                    ($0.checkpointPath, $0.checkpointSteps) = (path, 1)
                })
        }
        let whole = try trainer(seed: 3, path: nil)
        _ = try whole.fit(rows(), evaluation: nil) { _ in true }
        var reports = 0
        _ = try? trainer(seed: 3, path: path).fit(rows(), evaluation: nil) { _ in
            reports += 1
            return reports < 4
        }
        let second = try trainer(seed: 99, path: path)
        _ = try second.fit(rows(), evaluation: nil) { _ in true }
        #expect(bits(second.values) == bits(whole.values))
    }

    @Test("Other tasks, weights of classes and smoothed labels are refused by name")
    func refused() throws {
        for task in Tasks.all where task.hasOwnHead && task != .tokenClassification {
            for method in ["lora", "bottleneck"] {
                let adapter = try Adapter(model: model, method: method, config: nil, seed: 1)
                let names = task.outputNames ?? Self.labels
                let error = #expect(throws: GraftError.self) {
                    try adapter.set(task, HeadSettings(labels: names, dropout: nil, trainsDense: false, hasChain: true))
                }
                #expect(error?.message.contains("crf") == true && error?.code == .invalidArgument, "\(task)")
            }
        }
        for (name, change) in [
            ("class_weights", { $0.classWeights = [1, 1, 1] }), ("label_smoothing", { $0.labelSmoothing = 0.1 }),
        ] as [(String, (inout TrainerOptions) -> Void)] {
            let error = #expect(throws: GraftError.self) {
                try Trainer(adapter: try adapter(), options: TrainingFixture.options(change))
            }
            #expect(error?.message.contains(name) == true && error?.message.contains("crf") == true)
        }
    }
}
