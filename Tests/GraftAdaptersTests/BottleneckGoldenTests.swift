import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// Adapter folders as AdapterHub's `adapters` saved them, and what it computes from them.
@Suite struct BottleneckGoldenTests {
    static let cases: [JSON] = (try? JSON(contentsOf: Goldens.path("bottleneck/variants.json")))?.arrayValue ?? []
    static let fileNames = [
        "adapter_config.json", "adapter.safetensors", "head_config.json", "model_head.safetensors",
    ]

    @Test("The goldens are there")
    func goldensAreThere() { #expect(Self.cases.count >= 13) }

    @Test("Every AdapterHub adapter gives AdapterHub's results", arguments: cases)
    func resultsEqual(golden: JSON) throws {
        let folder = "bottleneck/\(try golden.string("name"))"
        let base = try golden.string("base")
        let family = String(base.prefix { $0 != "/" })
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("\(family)/inputs.json")))
        let model = try Architectures.load(path: Goldens.path(base), precision: .float32)
        let adapter = try Adapter(model: model, path: Goldens.path("\(folder)/start")).content
        let expected = try SafetensorsFile(path: Goldens.path("\(folder)/expected.safetensors"))
        let classifies = adapter.task == .sequenceClassification
        let outputs = try AdapterOutputs(model, rows, adapter.attached(scale: 1), wantsLogits: classifies)
        let hidden = Goldens.difference(outputs.hidden, try Goldens.floats(expected, "last_hidden_state"))
        #expect(hidden < 1e-4, "hidden states: \(hidden)")
        if classifies {
            let logits = Goldens.difference(outputs.logits, try Goldens.floats(expected, "logits"))
            #expect(logits < 1e-4, "logits: \(logits)")
            #expect(adapter.labels == ["red", "green", "blue"])
        }
    }

    @Test("An adapter that was loaded is saved byte for byte, and so it is when written anew", arguments: cases)
    func savedAsLoaded(golden: JSON) throws {
        let start = Goldens.path("bottleneck/\(try golden.string("name"))/start")
        let model = try Architectures.load(path: Goldens.path(try golden.string("base")), precision: .float32)
        let adapter = try Adapter(model: model, path: start)
        let folder = try Goldens.temporaryFolder() + "/saved"
        try adapter.save(to: folder)
        let anew = try adapter.content.writtenFiles()
        for file in Self.fileNames where FileKind.of("\(start)/\(file)") == .file {
            let original = try MappedFile.contents(of: "\(start)/\(file)")
            #expect(try MappedFile.contents(of: "\(folder)/\(file)") == original, "\(file)")
            #expect(anew[file] == original, "\(file) anew")
        }
    }
}
