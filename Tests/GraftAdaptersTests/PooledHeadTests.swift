import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftAdapters

/// Heads that read something else of a row than the architecture's own class does.
@Suite struct PooledHeadTests {
    static let methods = ["lora", "bottleneck"]
    static let architectures = ["bert", "llama"]

    private func model(_ architecture: String) throws -> Model {
        let folder = architecture == "bert" ? "bert-tiny/base" : "llama-tiny/plain"
        return try Architectures.load(path: Goldens.path(folder), precision: .float32)
    }

    private func adapter(
        _ architecture: String, _ method: String, _ pooling: Pooling?, hasDenseLayer: Bool = true
    ) throws -> Adapter {
        let adapter = try Adapter(model: try model(architecture), method: method, config: nil, seed: 1)
        try adapter.set(
            .sequenceClassification,
            HeadSettings(labels: ["a", "b", "c"], dropout: nil, trainsDense: hasDenseLayer, pooling: pooling))
        return adapter
    }

    @Test(
        "It is saved and loaded with its adapter",
        arguments: methods.flatMap { method in Pooling.ofHeads.map { (method, $0) } }, architectures)
    func roundTrip(made: (method: String, pooling: Pooling), architecture: String) throws {
        let model = try model(architecture)
        for hasDenseLayer in [true, false] {
            // Llama has no pooler, which a dense layer of PEFT's head would be.
            if Pooling(model.summaryToken) == made.pooling, made.method == "lora" { continue }
            let adapter = try adapter(architecture, made.method, made.pooling, hasDenseLayer: hasDenseLayer)
            let folder = try Goldens.temporaryFolder() + "/adapter"
            try adapter.save(to: folder)
            let loaded = try Adapter(model: model, path: folder)
            let (head, found) = (adapter.content.plan.head, loaded.content.plan.head)
            #expect(found?.pooling == made.pooling && found?.dense.count == (hasDenseLayer ? 1 : 0))
            #expect(found?.readsPooler == head?.readsPooler)
            #expect(loaded.content.labels == ["a", "b", "c"] && loaded.content.task == .sequenceClassification)
            #expect(loaded.content.configText == adapter.content.configText)
            // Written anew, it is the same.
            loaded.markChanged()
            let files = try loaded.files()
            let expected = try adapter.files()
            #expect(files.map(\.name) == expected.map(\.name) && files.map(\.bytes) == expected.map(\.bytes))
        }
    }

    @Test(
        "The architecture's own pooling is not said, so that the adapter stays PEFT's and AdapterHub's",
        arguments: methods)
    func ownPooling(method: String) throws {
        let said = try adapter("bert", method, .first).files()
        let unsaid = try adapter("bert", method, nil).files()
        #expect(said.map(\.name) == unsaid.map(\.name) && said.map(\.bytes) == unsaid.map(\.bytes))
        for file in said { #expect(!String(decoding: file.bytes, as: UTF8.self).contains("pooling")) }
    }

    @Test("Another pooling is said where PEFT and AdapterHub meet it, and none of their names stands for it")
    func otherPooling() throws {
        let peft = try adapter("bert", "lora", .mean).content
        #expect(peft.configText.contains("\"pooling\": \"mean\""))
        #expect(
            !peft.plan.tensors.contains {
                $0.name.hasSuffix("model.classifier.weight") || $0.name.contains("pooler.dense.weight")
            })
        let hub = try adapter("bert", "bottleneck", .mean).files().first { $0.name == "head_config.json" }
        let text = String(decoding: hub?.bytes ?? [], as: UTF8.self)
        #expect(text.contains("\"pooling\": \"mean\""))
    }

    @Test("A new head takes the place of a pooled one, and the other way round")
    func replaced() throws {
        let adapter = try adapter("bert", "lora", .mean)
        try adapter.set(.sequenceClassification, HeadSettings(labels: ["a", "b"], dropout: nil, trainsDense: false))
        #expect(adapter.content.plan.head?.pooling == .first && !adapter.content.configText.contains("pooling"))
        #expect(!adapter.content.plan.tensors.contains { $0.name.contains("pooled") })
        try adapter.set(
            .sequenceClassification, HeadSettings(labels: ["a", "b"], dropout: nil, trainsDense: false, pooling: .last))
        #expect(adapter.content.plan.head?.pooling == .last)
        #expect(!adapter.content.plan.tensors.contains { $0.name.hasSuffix("model.classifier.weight") })
    }

    @Test("PEFT's word for no target trains the head and what is saved in full alone")
    func headAlone() throws {
        let settings = "{\"target_modules\": \"dummy-target-modules\", \"modules_to_save\": [\"pooler\"]}"
        let adapter = try Adapter(model: try model("bert"), method: "lora", config: settings, seed: 1)
        try adapter.set(.sequenceClassification, HeadSettings(labels: ["a", "b"], dropout: nil, trainsDense: false))
        let names = adapter.content.plan.tensors.map(\.name)
        #expect(
            names.sorted()
                == ["bert.pooler.dense.bias", "bert.pooler.dense.weight", "classifier.bias", "classifier.weight"].map {
                    "base_model.model.\($0)"
                })
        let folder = try Goldens.temporaryFolder() + "/adapter"
        try adapter.save(to: folder)
        #expect(try Adapter(model: try model("bert"), path: folder).content.plan.tensors.map(\.name) == names)
    }
}
