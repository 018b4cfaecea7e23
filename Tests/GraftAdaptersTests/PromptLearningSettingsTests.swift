import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// Which settings of prefix-tuning and prompt tuning are taken, and how the others are refused.
@Suite struct PromptLearningSettingsTests {
    private let model: Model

    init() throws {
        model = try Architectures.load(path: Goldens.path("llama-tiny/everything"), precision: .float32)
    }

    private func create(_ method: String, _ config: String) throws -> Adapter {
        try Adapter(model: model, method: method, config: config, seed: 1)
    }

    @Test(
        "What cannot be is refused, and said",
        arguments: [
            ("prefix_tuning", "\"num_virtual_tokens\": 0", GraftError.Code.invalidArgument, "num_virtual_tokens must"),
            ("prefix_tuning", "\"num_virtual_tokens\": null", .invalidArgument, "num_virtual_tokens must"),
            ("prefix_tuning", "\"num_virtual_tokens\": 64", .incompatible, "takes at most 64 tokens"),
            ("prefix_tuning", "\"token_dim\": 8", .incompatible, "token_dim is 8; this llama model has 32"),
            ("prefix_tuning", "\"num_layers\": 3", .incompatible, "num_layers is 3; this llama model has 2"),
            ("prefix_tuning", "\"num_attention_heads\": 4", .incompatible, "this llama model has 2"),
            ("prefix_tuning", "\"num_transformer_submodules\": 2", .incompatible, "has 1"),
            ("prefix_tuning", "\"init_weights\": \"one\"", .invalidArgument, "init_weights must"),
            ("prefix_tuning", "\"encoder_hidden_size\": 0.5", .invalidArgument, "encoder_hidden_size must"),
            ("prefix_tuning", "\"prefix\": 1", .invalidArgument, "unknown setting \"prefix\""),
            ("prompt_tuning", "\"prefix_projection\": true", .invalidArgument, "unknown setting"),
            ("prompt_tuning", "\"prompt_tuning_init\": \"ZERO\"", .invalidArgument, "prompt_tuning_init must"),
            ("prompt_tuning", "\"prompt_tuning_init\": \"TEXT\"", .invalidArgument, "needs prompt_tuning_init_text"),
            ("prompt_tuning", "\"tokenizer_kwargs\": {\"a\": 1}", .unsupported, "tokenizer_kwargs"),
            ("prompt_tuning", "\"modules_to_save\": [\"nothing\"]", .notFound, "\"nothing\""),
        ])
    func refused(method: String, setting: String, code: GraftError.Code, words: String) throws {
        let error = #expect(throws: GraftError.self, "\(setting)") { try create(method, "{\(setting)}") }
        #expect(error?.code == code && error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("Sizes that are not given are the model's, of keys for a prefix and of words for a prompt")
    func sizes() throws {
        for (method, heads) in [("prefix_tuning", 2), ("prompt_tuning", 4)] {
            let text = try create(method, "{\"token_dim\": null}").content.configText
            let config = try JSON(parsing: text, source: method).requireObject()
            #expect(try config.int("num_attention_heads") == heads)
            #expect(try config.int("token_dim") == 32 && config.int("num_layers") == 2)
            #expect(try config.string("task_type") == "FEATURE_EXTRACTION")
        }
    }

    @Test("A prefix of zeros is zero; projected, it is made of a projection to zero")
    func zeros() throws {
        for projection in [false, true] {
            let adapter = try create(
                "prefix_tuning", "{\"init_weights\": \"zero\", \"prefix_projection\": \(projection)}")
            let files = try adapter.files()
            let weights = try #require(files.first { $0.name == "adapter_model.safetensors" })
            let folder = try Goldens.temporaryFolder()
            try adapter.save(to: folder + "/a")
            let file = try SafetensorsFile(path: folder + "/a/adapter_model.safetensors")
            #expect(file.tensors.map(\.name) == ["prompt_embeddings"] && weights.bytes.count > 20 * 128 * 4)
            #expect(try Goldens.floats(file, "prompt_embeddings").allSatisfy { $0 == 0 })
        }
    }

    @Test("A prompt begins as words of the vocabulary, or as those of a text, over and over")
    func words() throws {
        let words = model.sites[model.vocabulary.words]
        var table = [Float](repeating: 0, count: words.inputs * words.outputs)
        table.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { words.copyWeight(base) } }
        func rows(_ adapter: Adapter) -> [[Float]] {
            (0..<20).map { row in (0..<32).map { adapter.content.values[row * 32 + $0] } }
        }
        func word(_ id: Int) -> [Float] { Array(table[id * 32..<(id + 1) * 32]) }
        let sampled = rows(try create("prompt_tuning", "{\"prompt_tuning_init\": \"SAMPLE_VOCAB\"}"))
        #expect(sampled.allSatisfy { row in (0..<words.inputs).contains { word($0) == row } })
        #expect(Set(sampled).count > 5)

        let folder = try TestData.path("models/stories260K/hf")
        let stories = try Architectures.load(path: folder, precision: .float32)
        let adapter = try Adapter(
            model: stories, method: "prompt_tuning",
            config: """
                {"prompt_tuning_init": "TEXT", "prompt_tuning_init_text": "Once upon a time", \
                "tokenizer_name_or_path": "\(folder)"}
                """, seed: 1)
        // <s> Once upon a time
        let ids = [1, 403, 407, 261, 378]
        let site = stories.sites[stories.vocabulary.words]
        var all = [Float](repeating: 0, count: site.inputs * site.outputs)
        all.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { site.copyWeight(base) } }
        for row in 0..<20 {
            let start = ids[row % ids.count] * site.outputs
            #expect(
                (0..<site.outputs).allSatisfy { adapter.content.values[row * site.outputs + $0] == all[start + $0] })
        }
    }
}
