import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// Which settings of IA3 are taken, what they choose, and how the others are refused.
@Suite struct IA3SettingsTests {
    private func create(_ config: String, base: String = "bert-tiny/base") throws -> Adapter {
        let model = try Architectures.load(path: Goldens.path(base), precision: .float32)
        return try Adapter(model: model, method: "ia3", config: config, seed: 1)
    }

    @Test(
        "Null is PEFT's choice of modules, and of those that scale what they read",
        arguments: [
            ("bert-tiny/base", ["key": [32, 1], "value": [32, 1], "attention.output": [1, 32], "output": [1, 64]]),
            ("llama-tiny/plain", ["k_proj": [16, 1], "v_proj": [16, 1], "down_proj": [1, 48]]),
            ("gpt2-tiny/plain", ["c_attn": [96, 1], "c_proj": [1, 128]]),
        ])
    func defaults(base: String, modules: [String: [Int]]) throws {
        for settings in ["{}", "{\"target_modules\": null, \"feedforward_modules\": null}"] {
            let content = try create(settings, base: base).content
            var found: [String: [Int]] = [:]
            for tensor in content.plan.tensors {
                #expect(tensor.name.hasSuffix(".ia3_l"))
                let steps = tensor.name.split(separator: ".").dropLast().filter { $0 != "dense" }
                let name = steps.suffix(steps.suffix(2).first == "attention" ? 2 : 1).joined(separator: ".")
                found[name] = tensor.shape
                for index in 0..<tensor.parameter.count {
                    #expect(content.values[tensor.parameter.offset + index] == 1)
                }
            }
            #expect(Set(found.keys) == Set(modules.keys), "\(base)")
            for (name, shape) in modules {
                #expect(found[name]?.count == 2 && (found[name]?.first == 1) == (shape.first == 1), "\(name)")
            }
        }
    }

    @Test(
        "What would silently do nothing, or does not fit together, is refused by its name",
        arguments: [
            ("\"target_modules\": [\"kye\"]", "kye", GraftError.Code.notFound),
            ("\"target_modules\": [\"key\"], \"feedforward_modules\": [\"value\"]", "value", .invalidArgument),
            ("\"target_modules\": [\"key\"], \"feedforward_modules\": \".*value\"", ".*value", .notFound),
            ("\"feedforward_modules\": 3", "feedforward_modules", .invalidArgument),
            ("\"init_ia3_weights\": \"one\"", "init_ia3_weights", .corruptFile),
            ("\"r\": 4", "\"r\"", .invalidArgument), ("\"peft_type\": \"LORA\"", "LORA", .invalidArgument),
            ("\"target_modules\": [\"word_embeddings\"]", "word_embeddings", .notFound),
        ])
    func refused(setting: String, word: String, code: GraftError.Code) {
        let error = #expect(throws: GraftError.self, "\(setting)") { try create("{\(setting)}") }
        #expect(
            error?.message.contains(word) == true && error?.code == code, "\(setting): \(String(describing: error))")
    }

    @Test("Random factors are drawn around 0, as PEFT draws them")
    func random() throws {
        let content = try create("{\"init_ia3_weights\": false}").content
        let numbers = (0..<content.plan.parameterCount).map { content.values[$0] }
        #expect(abs(numbers.reduce(0, +) / Float(numbers.count)) < 0.2 && numbers.contains { $0 < -0.5 })
    }
}
