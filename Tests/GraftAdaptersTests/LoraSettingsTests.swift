import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// Which settings of LoRA are taken, what they come back as, and how the others are refused.
@Suite struct LoraSettingsTests {
    private let model: Model

    init() throws {
        model = try Architectures.load(path: Goldens.path("bert-tiny/base"), precision: .float32)
    }

    private func create(_ config: String) throws -> Adapter {
        try Adapter(model: model, method: "lora", config: config, seed: 1)
    }

    private static let head = HeadSettings(labels: ["a", "b", "c"], dropout: nil, trainsDense: false)

    @Test(
        "A number that no rank or alpha can be is refused by its name",
        arguments: [
            ("\"r\": 1.5", "r must"), ("\"r\": 1e19", "r must"), ("\"r\": null", ""), ("\"r\": -1", "r must"),
            ("\"rank_pattern\": {\"query\": 1e19}", "rank_pattern[\"query\"]"),
            ("\"rank_pattern\": {\"query\": 1e300}", "rank_pattern[\"query\"]"),
            ("\"rank_pattern\": {\"query\": 2.5}", "found 2.5"), ("\"rank_pattern\": {\"query\": 0}", "found 0"),
            ("\"rank_pattern\": {\"query\": \"2\"}", "rank_pattern[\"query\"]"),
            ("\"lora_alpha\": 1e300", "lora_alpha"), ("\"lora_alpha\": 0", "lora_alpha"),
            ("\"alpha_pattern\": {\"value\": 1e300}", "alpha_pattern[\"value\"]"),
            ("\"alpha_pattern\": {\"value\": -1}", "found -1"),
        ])
    func numbers(setting: String, words: String) throws {
        guard !words.isEmpty else {
            _ = try create("{\(setting)}")
            return
        }
        let error = #expect(throws: GraftError.self, "\(setting)") { try create("{\(setting)}") }
        #expect(error?.code == .invalidArgument && error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("A fresh adapter adapts every linear module, and null is PEFT's choice of them")
    func defaultTargets() throws {
        func adapted(_ settings: String) throws -> Set<String> {
            let names = try create(settings).content.plan.tensors.map(\.name)
            return Set(names.compactMap { $0.split(separator: ".").dropLast(2).last.map(String.init) })
        }
        #expect(try adapted("{}") == ["query", "key", "value", "dense"])
        #expect(try adapted("{\"target_modules\": null}") == ["query", "value"])
        #expect(try create("{}").content.configText.contains("\"lora_alpha\": 16"))
        // Beside a list of names, as PEFT asks.
        let first = try create("{\"layers_to_transform\": [0]}").content.plan.tensors.map(\.name)
        #expect(!first.isEmpty && first.allSatisfy { $0.contains("layer.0.") })
    }

    @Test(
        "A name or pattern that would silently do nothing is refused",
        arguments: [
            ("\"target_modules\": [\"query\", \"valeu\"]", "valeu"), ("\"rank_pattern\": {\"qurey\": 2}", "qurey"),
            ("\"alpha_pattern\": {\"word_embeddings\": 2}", "word_embeddings"),
            ("\"exclude_modules\": [\"valeu\"]", "valeu"),
            ("\"exclude_modules\": \".*valeu\"", "valeu"),
        ])
    func withoutEffect(setting: String, word: String) {
        let error = #expect(throws: GraftError.self, "\(setting)") { try create("{\(setting)}") }
        #expect(error?.code == .notFound && error?.message.contains(word) == true, "\(error?.message ?? "")")
    }

    @Test(
        "The first pattern that matches counts, before saving and after loading",
        arguments: [
            "\"rank_pattern\": {\"query\": 3, \".*\": 2}", "\"alpha_pattern\": {\"query\": 32, \".*\": 2}",
            "\"rank_pattern\": {\"value\": 3, \"[a-z.0-9]*\": 2}, \"alpha_pattern\": {\"value\": 5, \".*e.*\": 2}",
        ])
    func patternOrder(settings: String) throws {
        let adapter = try create("{\"init_lora_weights\": false, \(settings)}")
        try adapter.set(.sequenceClassification, Self.head)
        let folder = try Goldens.temporaryFolder() + "/adapter"
        try adapter.save(to: folder)
        let loaded = try Adapter(model: model, path: folder)
        #expect(loaded.content.plan.tensors.map(\.shape) == adapter.content.plan.tensors.map(\.shape))
        let rows = try Goldens.rows(["input_ids": [[2, 7, 5, 3], [2, 9, 3]]])
        let before = try AdapterOutputs(model, rows, adapter.content.attached(scale: 1), wantsLogits: true)
        let after = try AdapterOutputs(model, rows, loaded.content.attached(scale: 1), wantsLogits: true)
        #expect(before.logits == after.logits && before.hidden == after.hidden)
        #expect(loaded.content.difference(from: adapter.content) == nil)
    }

    @Test(
        "A head that would change which modules are adapted is refused, and the adapter is as it was",
        arguments: [
            ("\"exclude_modules\": \"encoder.layer.0.*\"", "begin"),
            (
                "\"target_modules\": \"encoder.layer.[01].*(query|value)\", \"exclude_modules\": [\"key\"]",
                "matches no module"
            ),
            ("\"target_modules\": \"(encoder.layer.0|bert.encoder.layer.1).*(query|value)\"", ""),
        ])
    func headKeepsTargets(settings: String, words: String) throws {
        let adapter = try create("{\(settings)}")
        let before = adapter.content.configText
        let error = #expect(throws: GraftError.self) { try adapter.set(.sequenceClassification, Self.head) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        #expect(adapter.content.configText == before && adapter.content.task == .none)
        // With the task said at once, modules have their names from the start.
        let named = try create("{\"task_type\": \"SEQ_CLS\", \"target_modules\": \"bert.encoder.layer.1.*query\"}")
        try named.set(.sequenceClassification, Self.head)
        #expect(named.content.plan.tensors.contains { $0.name.contains("bert.encoder.layer.1.attention.self.query") })
    }

    @Test("A head may take a module in full that was adapted, and give it back")
    func headTakesPooler() throws {
        let adapter = try create("{\"target_modules\": \"all-linear\"}")
        func names() -> [String] { adapter.content.plan.tensors.map(\.name).filter { $0.contains("pooler") } }
        #expect(names() == ["lora_A", "lora_B"].map { "base_model.model.pooler.dense.\($0).weight" })
        try adapter.set(.sequenceClassification, HeadSettings(labels: ["a", "b"], dropout: nil, trainsDense: true))
        #expect(names() == ["weight", "bias"].map { "base_model.model.bert.pooler.dense.\($0)" })
        try adapter.set(.sequenceClassification, HeadSettings(labels: ["a", "b"], dropout: nil, trainsDense: false))
        #expect(adapter.content.labels == ["a", "b"])
    }

    /// A saved adapter with a head, whose files `change` may change.
    private func saved(_ change: (_ name: String, _ bytes: [UInt8]) -> (name: String, bytes: [UInt8])) throws -> String
    {
        let adapter = try create("{}")
        try adapter.set(.sequenceClassification, Self.head)
        let folder = try Goldens.temporaryFolder()
        for file in try adapter.content.writtenFiles() {
            let (name, bytes) = change(file.key, file.value)
            try AtomicFile.write(bytes, to: folder + "/" + name)
        }
        return folder
    }

    @Test(
        "Labels that are not those of the head's classes are refused",
        arguments: [
            "{\\\"0\\\":\\\"neg\\\",\\\"2\\\":\\\"pos\\\"}", "[\\\"a\\\",\\\"b\\\",\\\"c\\\"]", "{\\\"0\\\":\\\"a\\\"}",
            "{\\\"0\\\":1,\\\"1\\\":2,\\\"2\\\":3}",
        ])
    func labels(text: String) throws {
        let names = "{\\\"0\\\":\\\"a\\\",\\\"1\\\":\\\"b\\\",\\\"2\\\":\\\"c\\\"}"
        let folder = try saved { name, bytes in
            guard name.hasSuffix(".safetensors") else { return (name, bytes) }
            // Spaces keep the header's length.
            let padded = text + String(repeating: " ", count: max(0, names.utf8.count - text.utf8.count))
            let file = String(decoding: bytes, as: Unicode.ASCII.self)
            #expect(file.contains(names) && padded.utf8.count == names.utf8.count)
            return (name, Self.replacing(Array(names.utf8), by: Array(padded.utf8), in: bytes))
        }
        let error = #expect(throws: GraftError.self) { try Adapter(model: model, path: folder) }
        #expect(error?.code == .corruptFile && error?.message.contains("id2label") == true, "\(error?.message ?? "")")
    }

    private static func replacing(_ old: [UInt8], by new: [UInt8], in bytes: [UInt8]) -> [UInt8] {
        guard let start = bytes.indices.first(where: { bytes[$0...].starts(with: old) }) else { return bytes }
        return bytes[..<start] + new + bytes[(start + old.count)...]
    }

    @Test("A pickle is named, with what to do about it")
    func pickle() throws {
        let folder = try saved { name, bytes in (name == "adapter_config.json" ? name : "adapter_model.bin", bytes) }
        let error = #expect(throws: GraftError.self) { try Adapter(model: model, path: folder) }
        #expect(error?.code == .unsupported && error?.message.contains("adapter_model.bin") == true)
    }

    @Test("Where a trained file's A began is of no consequence; a fresh one cannot begin there")
    func eva() throws {
        let settings = "\"init_lora_weights\": \"eva\", \"eva_config\": {\"rho\": 2.0}"
        let folder = try saved { name, bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            guard name == "adapter_config.json" else { return (name, bytes) }
            let changed = text.split(separator: "\n").map { line in
                line.contains("init_lora_weights") ? "  \(settings)," : String(line)
            }
            return (name, Array(changed.joined(separator: "\n").utf8))
        }
        #expect(try Adapter(model: model, path: folder).content.plan.parameterCount > 0)
        #expect(throws: GraftError.self) { try create("{\(settings)}") }
    }
}
