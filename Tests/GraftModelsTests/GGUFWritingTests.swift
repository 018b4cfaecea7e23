import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@Suite("GGUF files that are written")
struct GGUFWritingTests {
    private static let rows: Result<RowBatch, any Error> = Result {
        try Goldens.rows(try JSON(contentsOf: Goldens.path("llama-tiny/inputs.json")))
    }

    /// Writes a model, and returns where.
    private func write(_ path: String, _ type: BlockType?) throws -> String {
        let source = try Architectures.source(path: path)
        let model = try Architectures.load(source, precision: .float32)
        let out = try Goldens.temporaryFolder() + "/written.gguf"
        try Architectures.ggufWriter(source, model: model, type: type) { _, _ in GGUFMetadata() }.write(to: out)
        return out
    }

    @Test("A model that is written is the same one", arguments: GGUFModelTests.folders.keys.sorted())
    func same(name: String) throws {
        let own = try #require(GGUFModelTests.folders[name])
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path(own) + "/../inputs.json"))
        let folder = try Goldens.copyOfModel(own, changing: GGUFModelTests.unsaid[name] ?? [:])
        let written = try write(folder, .float32)
        let expected = try hiddenStates(folder, rows)
        // Of Gemma's norms 1 + w is rounded.
        for (layer, states) in try hiddenStates(written, rows).enumerated() {
            #expect(
                Goldens.difference(states, expected[layer]) <= (name.hasPrefix("gemma") ? 2e-5 : 0), "layer \(layer)")
        }
        // What the file of the reference says of the model, this one says, too.
        let (file, theirs) = (try GGUFFile(path: written), try GGUFFile(path: Goldens.path("gguf-tiny/\(name).gguf")))
        for (key, value) in theirs.header.metadata where !key.hasPrefix("tokenizer.") && key != "general.file_type" {
            // Gemma 3's layers here all have a window, and turn on the other base.
            if key == "gemma3.rope.freq_base" { continue }
            #expect(file.header[key]?.kind == value.kind, "\(key)")
        }
        #expect(Set(file.header.entries.map(\.name)) == Set(theirs.header.entries.map(\.name)))
        for entry in file.header.entries where !name.hasPrefix("gemma") {
            let other = try #require(theirs.header.entry(entry.name))
            #expect(entry.shape == other.shape, "\(entry.name)")
            #expect(file.file.bytes[entry.range].elementsEqual(theirs.file.bytes[other.range]), "\(entry.name)")
        }
        withExtendedLifetime((file, theirs)) {}
    }

    @Test(
        "What is written of a file is that file again",
        arguments: ["llama3", "qwen2", "bert", "gpt-neox", "phi3", "olmo2", "nomic-bert"])
    func again(name: String) throws {
        let path = Goldens.path("gguf-tiny/\(name).gguf")
        let (first, second) = (try GGUFFile(path: path), try GGUFFile(path: try write(path, nil)))
        #expect(Set(first.header.metadata.map(\.key)).isSubset(of: second.header.metadata.map(\.key)))
        for entry in first.header.entries {
            let other = try #require(second.header.entry(entry.name))
            #expect(first.file.bytes[entry.range].elementsEqual(second.file.bytes[other.range]), "\(entry.name)")
        }
        withExtendedLifetime((first, second)) {}
    }

    @Test("Rotary positions of Llama 3.1 are written as factors of their frequencies")
    func rotaryFactors() throws {
        let scaling: JSON = [
            "rope_type": "llama3", "rope_theta": 500_000, "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
            "original_max_position_embeddings": 8192,
        ]
        let folder = try Goldens.copyOfModel("llama-tiny/plain", changing: ["rope_parameters": scaling])
        #expect(try hiddenStates(write(folder, .float32), Self.rows.get()) == hiddenStates(folder, Self.rows.get()))
    }

    @Test("Numbers are rounded to the type that is asked for", arguments: [BlockType.float16, .bfloat16, .q8_0])
    func types(type: BlockType) throws {
        let path = Goldens.path("llama-tiny/plain")
        let written = try GGUFFile(path: try write(path, type))
        let source = try ModelFolder(path: path)
        for (name, stored) in [
            ("model.layers.0.mlp.up_proj.weight", "blk.0.ffn_up.weight"), ("model.norm.weight", "output_norm.weight"),
        ] {
            let entry = try #require(source.entry(name))
            let found = try #require(written.header.entry(stored))
            #expect(found.type == (entry.shape.count == 1 ? .float32 : type))
        }
    }

    @Test("A model that a file would be another one of is refused by name")
    func refused() throws {
        let changes: [([String: JSON], String)] = [
            (["hidden_act": "relu"], "silu"),
            (["rope_scaling": ["rope_type": "yarn", "factor": 4, "beta_fast": 16]], "yarn"),
        ]
        for (change, word) in changes {
            let folder = try Goldens.copyOfModel("llama-tiny/plain", changing: change)
            let error = #expect(throws: GraftError.self) { try write(folder, .float32) }
            #expect(
                error?.code == .unsupported && error?.message.contains(word) == true, "\(String(describing: error))")
        }
        for (model, change, word) in [
            ("gpt-neox-tiny/plain", ["hidden_act": "relu"], "hidden_act other than gelu"),
            ("nomic-bert-tiny/modules", ["hidden_act": "gelu"], "hidden_act other than silu"),
            ("phi3-tiny/plain", ["hidden_act": "gelu"], "silu"), ("olmo2-tiny/plain", ["hidden_act": "gelu"], "silu"),
        ] as [(String, [String: JSON], String)] {
            let folder = try Goldens.copyOfModel(model, changing: change)
            let error = #expect(throws: GraftError.self) { try write(folder, .float32) }
            #expect(error?.code == .unsupported && error?.message.contains(word) == true, "\(model)")
        }
        let error = #expect(throws: GraftError.self) { try write(Goldens.path("albert-tiny/base"), nil) }
        #expect(error?.message.contains("qwen3") == true)
    }
}
