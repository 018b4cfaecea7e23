import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftAdapters

/// The head of two layers that RoBERTa's class of rows has, and the pooler that it has not.
@Suite struct RobertaHeadTests {
    private static let head = HeadSettings(labels: ["a", "b"], dropout: nil, trainsDense: false)

    private func model(_ name: String) throws -> Model {
        try Architectures.load(path: Goldens.path("roberta-tiny/\(name)"), precision: .float32)
    }

    private func adapter(_ model: Model, _ method: String = "lora", _ config: String? = nil) throws -> Adapter {
        try Adapter(model: model, method: method, config: config, seed: 1)
    }

    private func names(_ adapter: Adapter) -> [String] { adapter.content.plan.tensors.map(\.name) }

    @Test(
        "A fresh one has both layers, as PEFT saves them",
        arguments: ["base", "masked-lm", "token-classification", "sequence-classification"], [false, true])
    func fresh(name: String, hasDenseLayer: Bool) throws {
        let adapter = try adapter(try model(name))
        try adapter.set(
            .sequenceClassification, HeadSettings(labels: ["a", "b"], dropout: nil, trainsDense: hasDenseLayer))
        let heads = names(adapter).filter { $0.contains("classifier") || $0.contains("pooler") }
        #expect(
            heads.sorted()
                == ["dense.bias", "dense.weight", "out_proj.bias", "out_proj.weight"].map {
                    "base_model.model.classifier." + $0
                })
        #expect(adapter.content.configText.contains("\"modules_to_save\": [\n    \"classifier\",\n    \"score\"\n  ]"))
        let head = try #require(adapter.content.plan.head)
        #expect(head.dense.count == 1 && !head.readsPooler && head.pooling == .first)
    }

    @Test("The dense layer of a classifier is what a new head starts from, and all of it if the labels are as many")
    func start() throws {
        let model = try model("sequence-classification")
        let file = try SafetensorsFile(path: Goldens.path("roberta-tiny/sequence-classification/model.safetensors"))
        for labels in [["a", "b"], ["a", "b", "c"]] {
            let adapter = try adapter(model)
            try adapter.set(.sequenceClassification, HeadSettings(labels: labels, dropout: nil, trainsDense: false))
            for tensor in adapter.content.plan.tensors where tensor.name.contains("classifier") {
                let own = String(tensor.name.dropFirst("base_model.model.".count))
                let isKept = own.contains("dense") || labels.count == 3
                let numbers = Array(
                    UnsafeBufferPointer(
                        start: adapter.content.values + tensor.parameter.offset, count: tensor.parameter.count))
                #expect((numbers == (try Goldens.floats(file, own))) == isKept, "\(own), \(labels.count) labels")
            }
        }
    }

    @Test(
        "The bare encoder's pooler is adapted, and that of no class of a task", arguments: ["null", "\"all-linear\""])
    func pooler(targets: String) throws {
        let config = targets == "null" ? nil : "{\"target_modules\": \(targets)}"
        let model = try model("base")
        let bare = try adapter(model, "lora", config)
        #expect(names(bare).contains("base_model.model.pooler.dense.lora_A.weight"))
        for task in [GraftAdapters.Task.sequenceClassification, .tokenClassification] {
            let adapter = try adapter(model, "lora", config)
            try adapter.set(task, Self.head)
            #expect(!names(adapter).contains { $0.contains("pooler") })
        }
        // BERT's class of rows has it.
        let bert = try Architectures.load(path: Goldens.path("bert-tiny/base"), precision: .float32)
        for (task, has) in [(GraftAdapters.Task.sequenceClassification, true), (.tokenClassification, false)] {
            let adapter = try adapter(bert, "lora", config)
            try adapter.set(task, Self.head)
            #expect(names(adapter).contains { $0.contains("pooler") } == has, "\(task)")
        }
    }

    @Test("A module that the class has not is refused where it is named")
    func named() throws {
        for config in ["\"target_modules\": [\"pooler.dense\"]", "\"modules_to_save\": [\"pooler\"]"] {
            let error = #expect(throws: GraftError.self) {
                try adapter(try model("base"), "lora", "{\"task_type\": \"SEQ_CLS\", \(config)}")
            }
            #expect(error?.code == .notFound && error?.message.contains("pooler") == true, "\(error?.message ?? "")")
        }
    }

    @Test("AdapterHub's head is its own, and its pooler is the backbone's")
    func adapterHub() throws {
        let adapter = try adapter(try model("base"), "bottleneck")
        try adapter.set(.sequenceClassification, Self.head)
        #expect(adapter.content.configText.contains("\"model_class\": \"RobertaAdapterModel\""))
        #expect(adapter.content.plan.head?.dense.isEmpty == true)
        let folder = try Goldens.temporaryFolder() + "/adapter"
        try adapter.save(to: folder)
        let path = folder + "/head_config.json"
        let config = String(decoding: try MappedFile.contents(of: path), as: UTF8.self)
        let text = config.split(separator: "\"use_pooler\": false", omittingEmptySubsequences: false)
        try AtomicFile.write(text.joined(separator: "\"use_pooler\": true"), to: path)
        #expect(try Adapter(model: try model("base"), path: folder).content.plan.head?.readsPooler == true)
        // A classifier's dense layer is no pooler.
        let error = #expect(throws: GraftError.self) {
            try Adapter(model: try model("sequence-classification"), path: folder)
        }
        #expect(error?.code == .incompatible && error?.message.contains("pooler.dense") == true)
    }
}
