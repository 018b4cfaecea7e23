import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftInference

@Suite("LoRA in GGUF files")
struct GGUFAdapterTests {
    private let model: Model
    private let rows: RowBatch

    init() throws {
        model = try Architectures.load(path: Goldens.path("llama-tiny/plain"), precision: .float32)
        rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("llama-tiny/inputs.json")))
    }

    private func load(_ path: String) throws -> Adapter {
        try Adapter.load(GGUFFile(path: path), model: model, names: Architectures.ggufNames(model.conventions))
    }

    private func save(_ adapter: Adapter) throws -> String {
        let path = try Goldens.temporaryFolder() + "/adapter.gguf"
        try adapter.saveGGUF(to: path) { Architectures.ggufNames($0.conventions) }
        return path
    }

    private func states(_ adapter: Adapter) throws -> [Float] {
        let session = try Session(model: model, threadCount: 1, passTokenCount: 0, cancelToken: nil)
        let composition = try Composition(adapter: adapter, scale: 1)
        return try session.states(rows, .init(repeating: composition, count: rows.rowCount))
    }

    @Test("A file of the reference's writer is the adapter that PEFT saved, and is written as it was")
    func reference() throws {
        let path = Goldens.path("gguf-lora/adapter.gguf")
        let peft = try Adapter(model: model, path: Goldens.path("gguf-lora/peft"))
        let read = try load(path)
        #expect(try states(read) == states(peft))
        for adapter in [peft, read] {
            let (own, theirs) = (try GGUFFile(path: try save(adapter)), try GGUFFile(path: path))
            #expect(own.header.entries.count == theirs.header.entries.count)
            for (key, value) in theirs.header.metadata { #expect(own.header[key]?.kind == value.kind, "\(key)") }
            for entry in own.header.entries {
                let other = try #require(theirs.header.entry(entry.name))
                #expect(entry.shape == other.shape, "\(entry.name)")
                #expect(own.file.bytes[entry.range].elementsEqual(theirs.file.bytes[other.range]), "\(entry.name)")
            }
            withExtendedLifetime((own, theirs)) {}
        }
    }

    @Test("What modules have of their own goes into B", arguments: ["use_rslora", "alpha_pattern"])
    func folded(setting: String) throws {
        var settings = JSONObject()
        settings["r"] = 4
        settings["rank_pattern"] = ["v_proj": 3]
        settings["init_lora_weights"] = false
        settings[setting] = setting == "use_rslora" ? true : ["v_proj": 5]
        let adapter = try Adapter(
            model: model, method: "lora", config: JSON.object(settings).serialized(), seed: 5)
        #expect(Goldens.difference(try states(load(save(adapter))), try states(adapter)) < 2e-5)
    }

    @Test("The matrices of a table are there, the first by its rows")
    func table() throws {
        let bert = try Architectures.load(path: Goldens.path("bert-tiny/base"), precision: .float32)
        let config = #"{"target_modules": ["word_embeddings"], "r": 2, "init_lora_weights": false}"#
        let adapter = try Adapter(model: bert, method: "lora", config: config, seed: 5)
        let path = try Goldens.temporaryFolder() + "/adapter.gguf"
        try adapter.saveGGUF(to: path) { Architectures.ggufNames($0.conventions) }
        let file = try GGUFFile(path: path)
        #expect(file.header.entry("token_embd.weight.lora_a")?.shape == [bert.shape.vocabularySize, 2])
        #expect(file.header.entry("token_embd.weight.lora_b")?.shape == [bert.shape.hiddenSize, 2])
        let read = try Adapter.load(file, model: bert, names: Architectures.ggufNames(bert.conventions))
        let session = try Session(model: bert, threadCount: 1, passTokenCount: 0, cancelToken: nil)
        let states = try [adapter, read].map { adapter in
            let composition = try Composition(adapter: adapter, scale: 1)
            return try session.states(rows, .init(repeating: composition, count: rows.rowCount))
        }
        #expect(states[0] == states[1])
    }

    @Test("What the format does not hold is refused by name")
    func refused() throws {
        let cases: [(String, JSON, String)] = [
            ("lora", ["use_dora": true], "q_proj"),
            ("lora", ["lora_bias": true], "q_proj"), ("lora", ["target_modules": ["lm_head"]], "lm_head"),
            ("lora", ["target_modules": ["embed_tokens"]], "embed_tokens"),
            ("lora", ["modules_to_save": ["lm_head"]], "lm_head"), ("ia3", [:], "ia3"),
            ("bottleneck", [:], "bottleneck"), ("prefix_tuning", ["num_virtual_tokens": 2], "virtual tokens"),
        ]
        for (method, settings, word) in cases {
            let adapter = try Adapter(model: model, method: method, config: settings.serialized(), seed: 1)
            let error = #expect(throws: GraftError.self, "\(method)") { try save(adapter) }
            #expect(
                error?.code == .unsupported && error?.message.contains(word) == true, "\(String(describing: error))")
        }
    }

    @Test("Files that are right but for one thing are refused")
    func malformed() throws {
        func file(_ change: (inout GGUFBuilder) -> Void) throws -> String {
            var builder = GGUFBuilder([
                ("general.architecture", .string("llama")), ("general.type", .string("adapter")),
                ("adapter.type", .string("lora")), ("adapter.lora.alpha", .float32(4)),
            ])
            let hidden = UInt64(model.shape.hiddenSize)
            builder.tensors = [
                ("blk.0.attn_output.weight.lora_a", [hidden, 2], 0, 0),
                ("blk.0.attn_output.weight.lora_b", [2, hidden], 0, 4 * 2 * hidden),
            ]
            builder.data = [UInt8](repeating: 0, count: Int(4 * 4 * hidden))
            change(&builder)
            let path = try Goldens.temporaryFolder() + "/adapter.gguf"
            try AtomicFile.write(builder.bytes, to: path)
            return path
        }
        _ = try load(file { _ in })
        let changes: [(GraftError.Code, String, (inout GGUFBuilder) -> Void)] = [
            (.unsupported, "general.type", { $0.keys[1].1 = .string("model") }),
            (.unsupported, "adapter.type", { $0.keys[2].1 = .string("control") }),
            (.incompatible, "qwen2", { $0.keys[0].1 = .string("qwen2") }),
            (.corruptFile, "adapter.lora.alpha", { $0.keys[3].1 = .float32(-1) }),
            (.corruptFile, "adapter.lora.alpha", { $0.keys[3].1 = .string("4") }),
            (.unsupported, "alora", { $0.keys.append(("adapter.alora.invocation_tokens", .integers([1]))) }),
            (.unsupported, "attn_X", { $0.tensors[0].name = "blk.0.attn_X.weight.lora_a" }),
            (.unsupported, "lora_c", { $0.tensors[0].name = "blk.0.attn_output.weight.lora_c" }),
            (.corruptFile, "other matrix", { $0.tensors.removeLast() }),
            (.corruptFile, "no one rank", { $0.tensors[1].sizes = [4, 1] }),
            (.corruptFile, "no one rank", { $0.tensors[1].sizes = [2] }),
            (.incompatible, "shape", { $0.tensors[0].sizes[0] -= 1 }),
            (
                .corruptFile, "",
                {
                    $0.data[3] = 0xFF; $0.data[2] = 0xC0
                }
            ),
        ]
        for (code, word, change) in changes {
            let error = #expect(throws: GraftError.self) { try load(try file(change)) }
            #expect(
                error?.code == code && error?.message.contains(word) == true, "\(word): \(String(describing: error))")
        }
    }
}
