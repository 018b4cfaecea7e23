import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftInference

/// Prefix-tuning and prompt tuning as PEFT saved and ran them; `TrainingGoldenTests` has its steps.
@Suite struct PromptLearningTests {
    static let variants =
        (try? JSON(contentsOf: Goldens.path("prompt-learning/variants.json")))?.arrayValue ?? []

    private struct Golden {
        let adapter: Adapter
        let session: Session
        let rows: RowBatch
        let composition: Composition

        init(_ variant: JSON) throws {
            let model = try Architectures.load(path: Goldens.path(variant.string("base")), precision: .float32)
            adapter = try Adapter(
                model: model, path: Goldens.path("prompt-learning/\(variant.string("name"))/start"))
            session = try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
            let batches = try JSON(contentsOf: Goldens.path("\(variant.string("batches"))/batches.json")).arrayValue
            rows = try Goldens.rows(try #require(batches?.first))
            composition = try Composition(adapter: adapter, scale: 1)
        }

        var everywhere: [Composition?] { Array(repeating: composition, count: rows.rowCount) }
    }

    @Test("Hidden states and logits are PEFT's", arguments: variants.filter { $0["new_ids"] == nil })
    func results(variant: JSON) throws {
        let golden = try Golden(variant)
        let expected = try Goldens.floats(
            SafetensorsFile(path: Goldens.path("prompt-learning/\(variant.string("name"))/expected.safetensors")),
            "results")
        var found = [Float](repeating: .nan, count: expected.count)
        if try variant.string("task") == "SEQ_CLS" {
            try golden.session.classify(golden.rows, adapters: golden.everywhere, into: &found)
        } else {
            try golden.session.hiddenStates(golden.rows, adapters: golden.everywhere, layer: -1, into: &found)
        }
        let difference = Goldens.difference(found, expected)
        #expect(difference < 1e-4, "\(difference)")
    }

    @Test("Texts go on as PEFT's", arguments: variants.filter { $0["new_ids"] != nil })
    func texts(variant: JSON) throws {
        let golden = try Golden(variant)
        let expected = try variant.array("new_ids").map(Goldens.numbers)
        var options = GenerationOptions()
        options.stopTokens = []
        options.maximumTokens = expected[0].count
        var found = Array(repeating: [Int32](), count: golden.rows.rowCount)
        try golden.session.generate(golden.rows, adapters: golden.everywhere, options: options, tokenizer: nil) {
            token in
            found[token.row].append(token.id)
            return true
        }
        #expect(found == expected)
    }

    @Test("A folder that PEFT wrote is saved with its bytes, and written anew with its tensors", arguments: variants)
    func files(variant: JSON) throws {
        let golden = try Golden(variant)
        let folder = Goldens.path("prompt-learning/\(try variant.string("name"))/start")
        let saved = try Goldens.temporaryFolder()
        try golden.adapter.save(to: saved + "/read")
        golden.adapter.markChanged()
        try golden.adapter.save(to: saved + "/written")
        for name in ["adapter_config.json", "adapter_model.safetensors"] {
            let original = try MappedFile.contents(of: "\(folder)/\(name)")
            #expect(try MappedFile.contents(of: "\(saved)/read/\(name)") == original)
        }
        let files = try [folder, saved + "/written"].map {
            try SafetensorsFile(path: $0 + "/adapter_model.safetensors")
        }
        #expect(files[0].tensors.map(\.name) == files[1].tensors.map(\.name))
        for tensor in files[0].tensors { #expect(files[1][tensor.name]?.holdsTheSame(as: tensor) ?? false) }
        let original = try JSON(contentsOf: folder + "/adapter_config.json")
        let written = try JSON(contentsOf: saved + "/written/adapter_config.json")
        #expect(written == original)
    }

    @Test("Virtual rows take positions: a row that fits the model without them is refused by its number")
    func positions() throws {
        for method in ["prefix_tuning", "prompt_tuning"] {
            let model = try Architectures.load(path: Goldens.path("bert-tiny/base"), precision: .float32)
            let adapter = try Adapter(model: model, method: method, config: "{\"num_virtual_tokens\": 4}", seed: 1)
            let session = try Session(model: model, threadCount: 1, passTokenCount: 0, cancelToken: nil)
            try session.attach(try Composition(adapter: adapter, scale: 1))
            var out = [Float](repeating: .nan, count: 61 * model.shape.hiddenSize)
            func run(length: Int) throws {
                var rows = RowBatch()
                rows.append(tokens: Array(repeating: 7, count: length), types: nil as [Int32]?)
                try session.hiddenStates(rows, adapters: [], layer: -1, into: &out)
            }
            try run(length: 60)
            let error = #expect(throws: GraftError.self) { try run(length: 61) }
            #expect(error?.message.contains("of which its adapter takes 4") ?? false)
        }
    }
}
