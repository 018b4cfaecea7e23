import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@Suite("Models in GGUF files")
struct GGUFModelTests {
    static let folders = [
        "llama": "llama-tiny/plain", "qwen2": "qwen2-tiny/plain", "qwen3": "qwen3-tiny/plain",
        "smollm3": "smollm3-tiny/plain", "gpt2": "gpt2-tiny/plain", "bert": "bert-tiny/base",
        "gemma": "gemma-tiny/plain", "gemma2": "gemma2-tiny/plain", "gemma3": "gemma3-tiny/plain",
        "phi3": "phi3-tiny/plain", "olmo2": "olmo2-tiny/plain", "gpt-neox": "gpt-neox-tiny/plain",
        "nomic-bert": "nomic-bert-tiny/base",
    ]
    /// What a file cannot say, and is of every model: which layers of SmolLM3 do not turn, or of
    /// Gemma 3 have no window, and how wide a head is for scores.
    static let unsaid: [String: [String: JSON]] = [
        "smollm3": ["no_rope_layer_interval": 4, "no_rope_layers": .null], "gemma2": ["query_pre_attn_scalar": 16],
        "gemma3": ["query_pre_attn_scalar": 16, "layer_types": .null],
    ]

    @Test("Every number of the file is the checkpoint's, under its name", arguments: folders.keys.sorted())
    func sameTensors(name: String) throws {
        let file = try Architectures.source(path: Goldens.path("gguf-tiny/\(name).gguf"))
        let folder = try Architectures.source(path: Goldens.path(try #require(Self.folders[name])))
        for entry in file.tensorNames.compactMap(file.entry) {
            let known = ["", "bert."].lazy.compactMap { folder.entry($0 + entry.name) }.first
            let stored = try #require(known, "\(entry.name)")
            #expect(try file.read(entry).holdsTheSame(as: folder.read(stored)), "\(entry.name)")
        }
    }

    @Test("It computes the bits that its checkpoint does", arguments: folders.keys.sorted(), Precision.allCases)
    func sameStates(name: String, precision: Precision) throws {
        let own = try #require(Self.folders[name])
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path(own) + "/../inputs.json"))
        let folder = try Goldens.copyOfModel(own, changing: Self.unsaid[name] ?? [:])
        let states = try hiddenStates(Goldens.path("gguf-tiny/\(name).gguf"), rows, precision: precision)
        #expect(try states == hiddenStates(folder, rows, precision: precision))
    }

    @Test("Rotary positions of Llama 3.1 are found in the factors of their frequencies")
    func rotaryFactors() throws {
        let folder = Goldens.path("gguf-tiny")
        let rows = try Goldens.rows(try JSON(contentsOf: folder + "/inputs.json"))
        let file = try SafetensorsFile(path: folder + "/expected.safetensors")
        for (layer, states) in try hiddenStates(folder + "/llama3.gguf", rows).enumerated() {
            let difference = Goldens.difference(states, try Goldens.floats(file, "hidden_states.\(layer)"))
            #expect(difference < 6e-5, "layer \(layer): \(difference)")
        }
    }

    @Test("Blocks are packed and gathered as the numbers that they stand for")
    func blocks() throws {
        let real = try TestData.model("smollm2-135m-instruct.gguf")
        let source = try Architectures.source(path: real)
        for name in ["model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight"] {
            let entry = try #require(source.entry(name))
            let (plain, rows) = (try source.read(entry), try source.rows(entry))
            var found = [Float](repeating: 0, count: plain.elementCount)
            rows.copy(count: plain.elementCount, into: &found)
            #expect(plain.withBytes { bytes in found.withUnsafeBytes { $0.elementsEqual(bytes) } })
            let columns = entry.shape[1]
            let weight = try PackedWeight(outputs: 96, inputs: columns, precision: .float32)
            weight.pack(firstRow: 0, rowCount: 96, rows: rows.start, type: rows.type, team: try Team(threadCount: 2))
            var unpacked = [Float](repeating: 0, count: 64 * columns)
            weight.unpack(firstRow: 32, rowCount: 64, into: &unpacked)
            #expect(unpacked == Array(found[32 * columns..<96 * columns]))
        }
    }

    @Test("A merged or copied model is a folder with the same numbers")
    func copied() throws {
        let source = try Architectures.source(path: Goldens.path("gguf-tiny/llama.gguf"))
        let folder = try Goldens.temporaryFolder() + "/copy"
        try ModelFolderWriter(source).write(to: folder)
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("llama-tiny/inputs.json")))
        #expect(try hiddenStates(folder, rows) == hiddenStates(Goldens.path("llama-tiny/plain"), rows))
    }
}
