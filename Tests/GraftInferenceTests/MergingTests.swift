import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftInference

/// Merged equals attached.
@Suite struct MergingTests {
    static let cases = GoldenCase.all(in: ["lora", "ia3", "adalora"], "cases.json")

    /// Numbers of a model and of the same with an adapter, which differ by rounding alone.
    private static let tolerance: Float = 5e-5

    private static func merged(
        _ source: any TensorSource, _ model: Model, _ composition: Composition
    ) throws -> TensorView {
        try MergedModel.view(of: source, model: model, try composition.weightDelta())
    }

    private static func session(_ model: Model) throws -> Session {
        try Session(model: model, threadCount: 1, passTokenCount: 0, cancelToken: nil)
    }

    /// The states of the attached adapter, of the merged model, and of that model once it was
    /// written and read again.
    private func compare(
        _ base: String, scale: Float = 1, rows: RowBatch, _ adapter: (Model) throws -> Adapter
    ) throws -> (model: Model, again: Model, folder: ModelFolder) {
        let source = try ModelFolder(path: base)
        let model = try Architectures.load(source, precision: .float32)
        let composition = try Composition(adapter: try adapter(model), scale: scale)
        let view = try Self.merged(source, model, composition)
        let inMemory = try Architectures.load(view, precision: .float32)
        let path = try Goldens.temporaryFolder() + "/merged"
        try ModelFolderWriter(view).write(to: path)
        let folder = try ModelFolder(path: path)
        let again = try Architectures.load(folder, precision: .float32)
        let attached = try Self.session(model).states(rows, .init(repeating: composition, count: rows.rowCount))
        let states = try Self.session(inMemory).states(rows)
        #expect(Goldens.difference(attached, states) < Self.tolerance, "\(Goldens.difference(attached, states))")
        #expect(bits(try Self.session(again).states(rows)) == bits(states))
        if let base = again.baseHead {
            let (columns, logits) = try Self.session(model).logits(
                rows, .init(repeating: composition, count: rows.rowCount))
            let found = try Self.session(again).logits(rows)
            #expect(found.columns == columns && base.labels == composition.labels)
            #expect(Goldens.difference(logits, found.values) < Self.tolerance)
        }
        return (model, again, folder)
    }

    @Test(
        "Every PEFT adapter of the goldens, merged in memory or in a folder, computes what it does attached",
        arguments: cases)
    func everyGolden(golden: GoldenCase) throws {
        let (name, golden) = (golden.testDescription, golden.settings)
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("bert-tiny/inputs.json")))
        let compared = try compare(Goldens.path(try golden.string("base")), rows: rows) { model in
            try Adapter(model: model, path: Goldens.path(name))
        }
        #expect((compared.again.baseHead != nil) == (try golden.string("output") == "logits"), "\(name)")
    }

    @Test("A scale is merged as it is attached", arguments: [Float(0), 0.5, -2])
    func scaled(scale: Float) throws {
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("bert-tiny/inputs.json")))
        _ = try compare(Goldens.path("bert-tiny/base"), scale: scale, rows: rows) { model in
            try Adapter(model: model, method: "lora", config: #"{"init_lora_weights": false}"#, seed: 3)
        }
    }

    @Test(
        "Other architectures too: with tied tables, tables that an adapter parts, and weights stored transposed",
        arguments: [
            ("llama-tiny/everything", "\"all-linear\"", true),
            ("llama-tiny/plain", "[\"q_proj\", \"down_proj\"]", true),
            ("llama-tiny/everything", "[\"embed_tokens\", \"q_proj\"]", false),
            ("llama-tiny/everything", "[\"lm_head\", \"v_proj\"]", false),
            ("mistral-tiny/plain", "\"all-linear\"", true), ("qwen2-tiny/plain", "\"all-linear\"", true),
            ("qwen3-tiny/plain", "\"all-linear\"", true),
            ("gpt2-tiny/everything", "[\"c_attn\", \"c_proj\", \"c_fc\"]", true),
            ("gpt2-tiny/everything", "[\"c_attn\", \"wte\"]", false), ("gpt2-tiny/bare", "[\"c_attn\", \"wpe\"]", true),
            ("electra-tiny/base", "\"all-linear\"", true), ("albert-tiny/groups", "\"all-linear\"", true),
        ])
    func otherArchitectures(base: String, targets: String, staysTied: Bool) throws {
        let rows = try Goldens.rows(
            try JSON(contentsOf: Goldens.path(String(base.prefix { $0 != "/" }) + "/inputs.json")))
        let compared = try compare(Goldens.path(base), rows: rows) { model in
            try Adapter(
                model: model, method: "lora", config: "{\"target_modules\": \(targets), \"init_lora_weights\": false}",
                seed: 3)
        }
        let wasTied = compared.model.vocabulary.areTied
        #expect(compared.again.vocabulary.areTied == (wasTied && staysTied))
        guard compared.model.languageHead != nil else { return }
        #expect(compared.again.languageHead != nil)
    }

    @Test(
        "A merged model's head is for what the adapter's was",
        arguments: Tasks.all.filter(\.hasOwnHead).flatMap { task in
            // transformers has a class of choices for the first alone.
            (task == .multipleChoice ? ["bert-tiny"] : ["bert-tiny", "llama-tiny", "gpt2-tiny"]).map { (task, $0) }
        })
    func tasks(task: Task, family: String) throws {
        let labels = task.outputNames ?? ["a", "b", "c"]
        var rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("\(family)/inputs.json")))
        if task == .questionAnswering {
            // PEFT's class passes no token types on; a merged model reads those that it is given.
            var plain = RowBatch()
            for row in 0..<rows.rowCount {
                plain.append(tokens: rows.tokens[rows.range(ofRow: row)], types: nil as [Int32]?)
            }
            rows = plain
        }
        let base = Goldens.path(family + (family == "bert-tiny" ? "/base" : "/plain"))
        let compared = try compare(base, rows: rows) { model in
            let adapter = try Adapter(
                model: model, method: "lora", config: #"{"init_lora_weights": false}"#, seed: 3)
            try adapter.set(task, HeadSettings(labels: labels, dropout: nil, trainsDense: false))
            return adapter
        }
        #expect(compared.again.ownTask == task)
        #expect(compared.again.baseHead?.labels == labels)
    }

    @Test("Types and shards stay as they are, and only what the adapter changes is other bytes")
    func stored() throws {
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("bert-tiny/inputs.json")))
        for base in ["bert-tiny/sharded", "bert-tiny/base"] {
            let before = try ModelFolder(path: Goldens.path(base))
            let compared = try compare(before.path, rows: rows) { model in
                try Adapter(
                    model: model, method: "lora", config: #"{"target_modules": ["query"], "init_lora_weights": false}"#,
                    seed: 3)
            }
            #expect(compared.folder.files.count == before.files.count)
            #expect(compared.folder.tensorNames == before.tensorNames)
            for name in before.tensorNames {
                let (old, new) = (try #require(before.entry(name)), try #require(compared.folder.entry(name)))
                #expect(old.elementType == new.elementType && old.shape == new.shape && old.file == new.file)
                let isSame = try before.read(old).holdsTheSame(as: compared.folder.read(new))
                #expect(isSame == !name.hasSuffix("query.weight"), "\(name)")
            }
        }
    }

    @Test("Weights of 16 bits are rounded to what they are stored in", arguments: ["bfloat16", "float16"])
    func rounded(type: String) throws {
        let source = try ModelFolder(path: Goldens.path("bert-tiny/\(type)"))
        let model = try Architectures.load(source, precision: .float32)
        let adapter = try Adapter(model: model, method: "lora", config: #"{"init_lora_weights": false}"#, seed: 3)
        let view = try Self.merged(source, model, try Composition(adapter: adapter, scale: 1))
        let path = try Goldens.temporaryFolder() + "/merged"
        try ModelFolderWriter(view).write(to: path)
        let folder = try ModelFolder(path: path)
        let step: Float = type == "bfloat16" ? 0x1p-8 : 0x1p-11
        for name in source.tensorNames {
            let entry = try #require(folder.entry(name))
            #expect(entry.elementType == source.entry(name)?.elementType)
            let exact = try Goldens.floats(view.read(try #require(view.entry(name))))
            let found = try Goldens.floats(folder.read(entry))
            for (exact, found) in zip(exact, found) where abs(exact) > 1e-3 {
                #expect(abs(exact - found) <= abs(exact) * step)
            }
        }
    }

    @Test("What no weights can do is refused, and so is the model's own folder")
    func refusals() throws {
        let source = try ModelFolder(path: Goldens.path("bert-tiny/base"))
        let model = try Architectures.load(source, precision: .float32)
        let bottleneck = try Composition(
            adapter: try Adapter(model: model, method: "bottleneck", config: nil, seed: 1), scale: 1)
        let error = #expect(throws: GraftError.self) { try Self.merged(source, model, bottleneck) }
        #expect(error?.code == .unsupported && error?.message.contains("bottleneck") ?? false)
        let pooled = try MixedRows.adapter(model, rank: 2, targets: "[\"query\"]", labels: 2, pooling: .mean)
        let head = #expect(throws: GraftError.self) {
            try Self.merged(source, model, try Composition(adapter: pooled, scale: 1))
        }
        #expect(head?.code == .unsupported)
        let plain = try Adapter(model: model, method: "lora", config: nil, seed: 1)
        let view = try Self.merged(source, model, try Composition(adapter: plain, scale: 1))
        #expect(throws: GraftError.self) { try ModelFolderWriter(view).write(to: source.path) }
    }
}
