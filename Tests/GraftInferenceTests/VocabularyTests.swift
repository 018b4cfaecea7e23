import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import GraftTraining
import Testing

@testable import GraftInference

/// Adapters that carry tables of the vocabulary, as PEFT writes them once tokens were added.
@Suite struct VocabularyTests {
    private static let start = "base_model.model."
    private static let names = ["model.embed_tokens", "lm_head"].map { start + $0 + ".weight" }

    private let model: Model
    private let folder: String
    private let width: Int

    init() throws {
        model = try Architectures.load(path: Goldens.path("llama-tiny/everything"), precision: .float32)
        width = model.shape.hiddenSize
        let adapter = try Adapter(
            model: model, method: "lora",
            config: #"{"r": 2, "task_type": "CAUSAL_LM", "init_lora_weights": false}"#, seed: 1)
        folder = try Goldens.temporaryFolder()
        try adapter.save(to: folder + "/plain")
    }

    /// A table of so many rows: the model's own, then others.
    private func table(_ site: Int, rows: Int) -> [Float] {
        var own = [Float](repeating: 0, count: 110 * width)
        own.withUnsafeMutableBufferPointer { buffer in
            if let base = buffer.baseAddress { model.sites[site].copyWeight(base) }
        }
        var random = RandomNumbers(seed: 4, stream: "rows")
        while own.count < rows * width { own.append(random.normal() * 0.3) }
        return Array(own.prefix(rows * width))
    }

    /// The plain adapter with tables of so many rows, and other changes to its tensors.
    private func adapter(
        words: Int?, head: Int?, rename: (String) -> String = { $0 }, change: (inout [Float]) -> Void = { _ in }
    ) throws -> String {
        let path = try Goldens.temporaryFolder()
        let file = try SafetensorsFile(path: folder + "/plain/adapter_model.safetensors")
        var numbers: [(name: String, shape: [Int], values: [Float])] = try file.tensors.map {
            (rename($0.name), $0.shape, try Goldens.floats($0))
        }
        let sites = [model.vocabulary.words, try #require(model.vocabulary.head)]
        for (name, (site, rows)) in zip(Self.names, zip(sites, [words, head])) {
            guard let rows else { continue }
            var values = table(site, rows: rows)
            change(&values)
            numbers.append((name, [rows, width], values))
        }
        let bytes = numbers.map { numbers in numbers.values.withUnsafeBytes { Array($0) } }
        let tensors: [SafetensorsWriter.Tensor] = zip(numbers, bytes).map { numbers, bytes in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
            copy.copyBytes(from: bytes)
            return (numbers.name, .float32, numbers.shape, UnsafeRawBufferPointer(copy))
        }
        defer { for tensor in tensors { tensor.bytes.deallocate() } }
        try SafetensorsWriter.write(tensors: tensors, to: path + "/adapter_model.safetensors")
        try AtomicFile.write(
            try MappedFile.contents(of: folder + "/plain/adapter_config.json"), to: path + "/adapter_config.json")
        return path
    }

    private func states(_ adapter: Adapter, _ row: [Int32]) throws -> [Float] {
        let session = try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
        var batch = RowBatch()
        batch.append(tokens: row, types: nil as [Int32]?)
        var out = [Float](repeating: 0, count: row.count * width)
        let composition = try Composition(adapter: adapter, scale: 1)
        try session.hiddenStates(batch, adapters: [composition], layer: -1, into: &out)
        return out
    }

    @Test(
        "Tables that are the model's own, or begin with it, change nothing for its tokens",
        arguments: [nil, 110, 117, 60])
    func sameTokens(rows: Int?) throws {
        let plain = try Adapter(model: model, path: folder + "/plain")
        let carried = try Adapter(model: model, path: adapter(words: rows, head: rows))
        let row: [Int32] = [1, 5, 9, 59, 33]
        #expect(try states(carried, row) == states(plain, row))
        let count = rows.map { $0 == 110 ? 0 : 2 * $0 * width } ?? 0
        #expect(carried.content.parameterCount == plain.content.parameterCount + count)
        #expect(carried.content.plan.trainedCount == plain.content.plan.parameterCount)
    }

    @Test("Another table of the same size replaces the model's")
    func replaces() throws {
        let plain = try Adapter(model: model, path: folder + "/plain")
        let other = try Adapter(model: model, path: adapter(words: 110, head: nil, change: { $0[5 * width] += 1 }))
        #expect(try states(other, [1, 4, 9]) == states(plain, [1, 4, 9]))
        #expect(try states(other, [1, 5, 9]) != states(plain, [1, 5, 9]))
    }

    @Test("Tokens beyond the model's are read, trained and generated; tables that are frozen stay, bit for bit")
    func larger() throws {
        let path = try adapter(words: 117, head: 117)
        let adapter = try Adapter(model: model, path: path)
        var rows = RowBatch()
        for row: [Int32] in [[1, 116, 111, 5, 116], [116, 7, 115, 116]] {
            rows.append(tokens: row, types: nil as [Int32]?)
            rows[.tokenLabels] += row
        }
        var options = TrainerOptions()
        options.learningRate = 5e-2
        options.optimizer = NamedChoice("adamw", ["weight_decay": 0.1])
        var losses: [Double] = []
        do {
            let trainer = try Trainer(adapter: adapter, options: options)
            for _ in 0..<20 { losses.append(try trainer.step(rows).loss) }
        }
        #expect(losses[19] < losses[0])
        try adapter.save(to: folder + "/trained")
        let before = try SafetensorsFile(path: path + "/adapter_model.safetensors")
        let after = try SafetensorsFile(path: folder + "/trained/adapter_model.safetensors")
        for name in Self.names { #expect(try Goldens.floats(after, name) == Goldens.floats(before, name)) }

        let session = try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
        let composition = try Composition(adapter: adapter, scale: 1)
        var generation = GenerationOptions()
        generation.stopTokens = []
        generation.maximumTokens = 20
        generation.temperature = 3
        var prompts = RowBatch()
        for _ in 0..<2 { prompts.append(tokens: [1, 116, 5], types: nil as [Int32]?) }
        prompts.append(tokens: [1, 5], types: nil as [Int32]?)
        /// Tokens of each row; the last has no adapter.
        func generated(_ order: [Int]) throws -> [[Int32]] {
            var batch = RowBatch()
            for row in order { batch.append(row: row, of: prompts) }
            generation.rowSeeds = order.map { UInt64($0) }
            var found: [[Int32]] = Array(repeating: [], count: order.count)
            try session.generate(
                batch, adapters: order.map { $0 < 2 ? composition : nil }, options: generation, tokenizer: nil
            ) { token in
                found[token.row].append(token.id)
                return true
            }
            return found
        }
        let mixed = try generated([0, 2, 1])
        #expect(mixed[0].contains { $0 >= 110 } || mixed[2].contains { $0 >= 110 })
        #expect(mixed[1].allSatisfy { $0 < 110 })
        #expect(try [mixed[0], mixed[1], mixed[2]] == [generated([0])[0], generated([2])[0], generated([1])[0]])
        let error = #expect(throws: GraftError.self) { try states(adapter, [117]) }
        #expect(error?.message.contains("vocabulary of 117") == true)
    }

    @Test("More tokens to choose than there are rows for are refused, and a LoRA without its table")
    func refused() throws {
        let outputs = #expect(throws: GraftError.self) {
            try Adapter(model: model, path: adapter(words: nil, head: 117))
        }
        #expect(outputs?.code == .incompatible && outputs?.message.contains("117") == true)
        // Fewer are enough.
        _ = try Adapter(model: model, path: adapter(words: 117, head: nil))
    }

    @Test("Keys may have the adapter's name, one for all", arguments: ["default", "mine"])
    func named(name: String) throws {
        func named(_ key: String) -> String { key.hasSuffix(".weight") ? "\(key.dropLast(7)).\(name).weight" : key }
        let path = try adapter(words: nil, head: nil, rename: named)
        let plain = try Adapter(model: model, path: folder + "/plain")
        #expect(try states(try Adapter(model: model, path: path), [1, 5, 9]) == states(plain, [1, 5, 9]))
        let two = try adapter(
            words: nil, head: nil,
            rename: { key in
                key.contains("lora_A") ? named(key) : "\(key.dropLast(7)).other.weight"
            })
        let error = #expect(throws: GraftError.self) { try Adapter(model: model, path: two) }
        #expect(error?.message.contains("two adapters") == true, "\(error?.message ?? "")")
    }
}
