import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// Which settings of AdaLoRA are taken, what they choose, and how the others are refused.
@Suite struct AdaLoraSettingsTests {
    private func create(_ config: String, base: String = "bert-tiny/base") throws -> Adapter {
        let model = try Architectures.load(path: Goldens.path(base), precision: .float32)
        return try Adapter(model: model, method: "adalora", config: config, seed: 1)
    }

    @Test(
        "Null is PEFT's choice of modules, of twelve ranks each",
        arguments: [
            ("bert-tiny/base", ["query", "value"]), ("llama-tiny/plain", ["q_proj", "v_proj"]),
            ("gpt2-tiny/plain", ["c_attn"]),
        ])
    func defaults(base: String, modules: [String]) throws {
        for settings in ["{}", "{\"target_modules\": null, \"r\": 8}"] {
            let content = try create(settings, base: base).content
            let tensors = content.plan.tensors
            #expect(
                Set(tensors.compactMap { $0.name.split(separator: ".").dropLast().last.map(String.init) })
                    == Set(modules))
            for tensor in tensors {
                #expect(tensor.shape[tensor.name.hasSuffix("lora_B") ? 1 : 0] == 12)
                let numbers = (0..<tensor.parameter.count).map { content.values[tensor.parameter.offset + $0] }
                #expect(numbers.allSatisfy { $0 == 0 } == tensor.name.hasSuffix("lora_E"))
            }
        }
    }

    @Test(
        "What cannot be is refused by its name",
        arguments: [
            ("\"init_r\": 0", "init_r", GraftError.Code.invalidArgument),
            ("\"target_r\": 13", "target_r", .invalidArgument),
            ("\"target_r\": 0", "target_r", .invalidArgument), ("\"tinit\": -1", "tinit", .invalidArgument),
            ("\"tfinal\": 0.5", "tfinal", .invalidArgument), ("\"deltaT\": 0", "deltaT", .invalidArgument),
            ("\"beta1\": 1", "beta1", .invalidArgument), ("\"beta2\": 0", "beta2", .invalidArgument),
            ("\"orth_reg_weight\": -0.5", "orth_reg_weight", .invalidArgument),
            ("\"total_step\": 0", "total_step", .invalidArgument),
            ("\"total_step\": 10, \"tinit\": 6, \"tfinal\": 4", "leaves no steps", .invalidArgument),
            ("\"lora_alpha\": 0", "lora_alpha", .invalidArgument),
            ("\"lora_dropout\": 1", "lora_dropout", .invalidArgument),
            ("\"rank_pattern\": {\"query.lora_E\": [true]}", "rank_pattern", .invalidArgument),
            ("\"init_lora_weights\": \"gaussian\"", "init_lora_weights", .invalidArgument),
            ("\"bias\": \"some\"", "bias", .invalidArgument), ("\"use_dora\": true", "use_dora", .unsupported),
            ("\"r\": 4", "\"r\"", .unsupported), ("\"use_rslora\": true", "use_rslora", .unsupported),
            ("\"lora_bias\": true", "lora_bias", .unsupported), ("\"ranks\": 4", "\"ranks\"", .invalidArgument),
            ("\"loftq_config\": {\"loftq_bits\": 4}", "loftq_config", .unsupported),
            ("\"peft_type\": \"LORA\"", "LORA", .invalidArgument),
            ("\"target_modules\": [\"word_embeddings\"]", "word_embeddings", .unsupported),
            ("\"target_modules\": [\"kye\"]", "kye", .notFound),
        ])
    func refused(setting: String, word: String, code: GraftError.Code) {
        let error = #expect(throws: GraftError.self, "\(setting)") { try create("{\(setting)}") }
        #expect(
            error?.message.contains(word) == true && error?.code == code, "\(setting): \(String(describing: error))")
    }

    @Test(
        "Files whose pattern is not theirs are refused",
        arguments: [
            ("[true, false]", "init_r ranks, 4"), ("[true, true, true, 1]", "init_r ranks, 4"),
            ("null", "rank_pattern"),
        ])
    func patterns(kept: String, words: String) throws {
        let source = Goldens.path("adalora/pruned")
        let folder = try Goldens.temporaryFolder()
        for name in ["adapter_model.safetensors", "adapter_config.json"] {
            try AtomicFile.write(try MappedFile.contents(of: "\(source)/\(name)"), to: "\(folder)/\(name)")
        }
        var config = try JSON(contentsOf: folder + "/adapter_config.json").requireObject()
        var pattern = try #require(try config.optionalObject("rank_pattern"))
        let name = pattern.keys[0]
        pattern[kept == "null" ? "nothing.lora_E" : name] =
            kept == "null" ? pattern[name] : try JSON(parsing: kept, source: "test")
        config["rank_pattern"] = .object(pattern)
        try AtomicFile.write(
            JSON.object(config).serializedBytes(JSON.Style(indent: 2)), to: folder + "/adapter_config.json")
        let model = try Architectures.load(path: Goldens.path("bert-tiny/sequence-classification"), precision: .float32)
        let error = #expect(throws: GraftError.self) { try Adapter(model: model, path: folder) }
        #expect(error?.code == .corruptFile && error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("A file says an end of the schedule that PEFT takes, and read again it is none")
    func openEnd() throws {
        let adapter = try create("{}")
        let folder = try Goldens.temporaryFolder() + "/saved"
        try adapter.save(to: folder)
        let config = try JSON(contentsOf: folder + "/adapter_config.json").requireObject()
        #expect(try config.int("total_step") == 2_147_483_647 && config["rank_pattern"] == .null)
        let again = try Adapter(model: adapter.content.model, path: folder)
        #expect(again.content.configText.contains("\"total_step\": null"))
    }
}
