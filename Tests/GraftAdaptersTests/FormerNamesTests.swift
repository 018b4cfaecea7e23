import GraftFormats
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftAdapters

/// Adapters that name modules as transformers 4 did.
@Suite struct FormerNamesTests {
    private static func config(_ head: String) -> String {
        #"{"r": 2, "target_modules": ["dense", "\#(head)"], "rank_pattern": {"\#(head)": 3}, "init_lora_weights": false}"#
    }

    @Test("GPT-NeoX's matrix of the logits is the same module under both its names")
    func embedOut() throws {
        let model = try Architectures.load(path: Goldens.path("gpt-neox-tiny/plain"), precision: .float32)
        let now = try Adapter(model: model, method: "lora", config: Self.config("lm_head"), seed: 3)
        let former = try Adapter(model: model, method: "lora", config: Self.config("embed_out"), seed: 3)
        for adapter in [now, former] { try adapter.set(.languageModel) }
        #expect(former.content.difference(from: now.content) == nil)
        #expect(now.content.plan.tensors.contains { $0.name.contains("lm_head") && $0.shape == [3, 32] })

        let (folder, older) = (try Goldens.temporaryFolder() + "/now", try Goldens.temporaryFolder())
        try now.save(to: folder)
        let file = try SafetensorsFile(path: folder + "/adapter_model.safetensors")
        let tensors = file.tensors.map { tensor in
            let name = tensor.name.split(separator: ".").map { $0 == "lm_head" ? "embed_out" : $0 }
            return (name.joined(separator: "."), tensor.elementType, tensor.shape, tensor.bytes)
        }
        try SafetensorsWriter.write(
            tensors: tensors, metadata: [("format", "pt")], to: older + "/adapter_model.safetensors")
        var config = try JSON(contentsOf: folder + "/adapter_config.json").requireObject()
        config["target_modules"] = ["dense", "embed_out"]
        config["rank_pattern"] = ["embed_out": 3]
        try AtomicFile.write(JSON.object(config).serialized(indent: 2), to: older + "/adapter_config.json")
        let loaded = try Adapter(model: model, path: older)
        #expect(loaded.content.difference(from: now.content) == nil)
        // Saved as it was read; written anew with the names of now.
        try loaded.save(to: folder + "-again")
        #expect(
            try SafetensorsFile(path: folder + "-again/adapter_model.safetensors").tensors.map(\.name).contains {
                $0.hasSuffix("embed_out.lora_A.weight")
            })
        loaded.markChanged()
        try loaded.save(to: folder + "-anew")
        #expect(
            try SafetensorsFile(path: folder + "-anew/adapter_model.safetensors").tensors.map(\.name)
                == file.tensors.map(\.name))
    }

    @Test("The same in full")
    func inFull() throws {
        let model = try Architectures.load(path: Goldens.path("gpt-neox-tiny/plain"), precision: .float32)
        let config = #"{"target_modules": ["dense"], "modules_to_save": ["embed_out"]}"#
        let adapter = try Adapter(model: model, method: "lora", config: config, seed: 3)
        #expect(adapter.content.plan.tensors.contains { $0.name.hasSuffix("lm_head.weight") })
    }
}
