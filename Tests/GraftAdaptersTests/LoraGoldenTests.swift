import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// Adapter folders as the real PEFT saved them, and what it computes from them.
@Suite struct LoraGoldenTests {
    static let cases: [JSON] = (try? JSON(contentsOf: Goldens.path("lora/cases.json")))?.arrayValue ?? []
    static let refusedCases: [JSON] = (try? JSON(contentsOf: Goldens.path("lora-refused/cases.json")))?.arrayValue ?? []

    @Test("The goldens are there")
    func goldensAreThere() {
        #expect(Self.cases.count >= 37)
        #expect(Self.refusedCases.count >= 36)
    }

    @Test("Every PEFT adapter gives PEFT's results", arguments: cases)
    func resultsEqual(golden: JSON) throws {
        let name = try golden.string("name")
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("bert-tiny/inputs.json")))
        let model = try Architectures.load(path: Goldens.path(try golden.string("base")), precision: .float32)
        let adapter = try Adapter(model: model, path: Goldens.path("lora/\(name)"))
        let expected = try SafetensorsFile(path: Goldens.path("lora/\(name)/expected.safetensors"))
        let output = try golden.string("output")
        let attached = adapter.content.attached(scale: 1)
        for (attachment, prefix) in [(attached, ""), (nil, "without_adapter.")] {
            guard let tensor = expected[prefix + output] else { continue }
            let outputs = try AdapterOutputs(model, rows, attachment, wantsLogits: output == "logits")
            let result = output == "logits" ? outputs.logits : outputs.hidden
            let difference = Goldens.difference(result, try Goldens.floats(tensor))
            #expect(difference < 1e-4, "\(prefix)\(output): \(difference)")
        }
    }

    @Test("An adapter that was loaded is saved byte for byte", arguments: cases)
    func savedAsLoaded(golden: JSON) throws {
        let name = try golden.string("name")
        let model = try Architectures.load(path: Goldens.path(try golden.string("base")), precision: .float32)
        let adapter = try Adapter(model: model, path: Goldens.path("lora/\(name)"))
        let folder = try Goldens.temporaryFolder() + "/saved"
        try adapter.save(to: folder)
        for file in ["adapter_config.json", "adapter_model.safetensors"] {
            #expect(
                try MappedFile.contents(of: "\(folder)/\(file)")
                    == MappedFile.contents(of: Goldens.path("lora/\(name)/\(file)")))
        }
    }

    @Test("Written anew from its numbers, a plain float32 adapter is PEFT's file byte for byte")
    func writtenAsPEFTWrites() throws {
        for name in ["default", "no-task", "patterns", "lora-bias", "modules-to-save-pooler", "bias-lora-only"] {
            let base = name == "no-task" ? "bert-tiny/base" : "bert-tiny/sequence-classification"
            let golden = try #require(Self.cases.first { $0["name"]?.stringValue == name })
            let model = try Architectures.load(
                path: Goldens.path(try golden.optionalString("base") ?? base), precision: .float32)
            let files = try Adapter(model: model, path: Goldens.path("lora/\(name)")).content.writtenFiles()
            #expect(
                files["adapter_config.json"]
                    == (try MappedFile.contents(of: Goldens.path("lora/\(name)/adapter_config.json"))),
                "\(name)")
            #expect(
                files["adapter_model.safetensors"]
                    == (try MappedFile.contents(of: Goldens.path("lora/\(name)/adapter_model.safetensors"))),
                "\(name)")
        }
    }

    @Test("What would not be honoured is refused by name", arguments: refusedCases)
    func refused(golden: JSON) throws {
        let name = try golden.string("name")
        let model = try Architectures.load(
            path: Goldens.path("bert-tiny/sequence-classification"), precision: .float32)
        let error = #expect(throws: GraftError.self) {
            try Adapter(model: model, path: Goldens.path("lora-refused/\(name)"))
        }
        let message = error?.message ?? ""
        for part in try golden.strings("message_names") { #expect(message.contains(part), "\(message)") }
    }
}
