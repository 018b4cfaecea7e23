import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// Any change of weights as a LoRA of a rank.
@Suite struct CompressionTests {
    private static let tolerance: Float = 5e-5

    private static func inputs(_ model: String) throws -> RowBatch {
        try Goldens.rows(try JSON(contentsOf: Goldens.path("\(model)/inputs.json")))
    }

    @Test(
        "A rank that all changes have costs nothing, whatever the adapter consists of", arguments: PeftGoldenTests.cases
    )
    func wholeRank(golden: GoldenCase) throws {
        let (name, golden) = (golden.testDescription, golden.settings)
        let rows = try Self.inputs("bert-tiny")
        let model = try Architectures.load(path: Goldens.path(try golden.string("base")), precision: .float32)
        let adapter = try Adapter(model: model, path: Goldens.path(name))
        let wantsLogits = try golden.string("output") == "logits"
        var largest = 0.0
        let small = try adapter.compressed(rank: 64) { largest = max(largest, $1) }
        #expect(largest < 1e-5 && small.error < 1e-5, "\(largest), \(small.error)")
        #expect(small.adapter.content.labels == adapter.content.labels)
        let before = try AdapterOutputs(model, rows, adapter.content.attached(scale: 1), wantsLogits: wantsLogits)
        let after = try AdapterOutputs(model, rows, small.adapter.content.attached(scale: 1), wantsLogits: wantsLogits)
        #expect(Goldens.difference(before.hidden, after.hidden) < Self.tolerance)
        #expect(Goldens.difference(before.logits, after.logits) < Self.tolerance)
        // The files are those of a plain LoRA.
        let again = try Adapter(
            model: model,
            InputFolder(
                small.adapter.files().map { file in
                    let place = UnsafeMutableRawBufferPointer.allocate(byteCount: file.bytes.count, alignment: 8)
                    place.copyBytes(from: file.bytes)
                    return (file.name, UnsafeRawBufferPointer(place))
                }, path: "files"))
        let loaded = try AdapterOutputs(model, rows, again.content.attached(scale: 1), wantsLogits: wantsLogits)
        #expect(loaded.hidden == after.hidden)
    }

    @Test(
        "Weights that are stored transposed, and modules in full",
        arguments: [
            ("gpt2-tiny", "{\"target_modules\": [\"c_attn\", \"c_fc\"], \"init_lora_weights\": false}"),
            (
                "gpt2-tiny",
                "{\"target_modules\": [\"c_fc\"], \"modules_to_save\": [\"c_proj\"], \"init_lora_weights\": false}"
            ),
            ("llama-tiny", "{\"target_modules\": [\"q_proj\", \"embed_tokens\"], \"init_lora_weights\": false}"),
        ])
    func decoders(name: String, settings: String) throws {
        let model = try Architectures.load(path: Goldens.path("\(name)/everything"), precision: .float32)
        let adapter = try Adapter(model: model, method: "lora", config: settings, seed: 2)
        let small = try adapter.compressed(rank: 64) { _, error in #expect(error < 1e-5) }
        let rows = try Self.inputs(name)
        let before = try AdapterOutputs(model, rows, adapter.content.attached(scale: 1), wantsLogits: false)
        let after = try AdapterOutputs(model, rows, small.adapter.content.attached(scale: 1), wantsLogits: false)
        #expect(Goldens.difference(before.hidden, after.hidden) < Self.tolerance)
    }

    @Test("A smaller rank costs what the report says, and more ranks cost less")
    func smallerRanks() throws {
        let model = try Architectures.load(path: Goldens.path("bert-tiny/base"), precision: .float32)
        let adapter = try Adapter(
            model: model, method: "lora", config: #"{"r": 6, "target_modules": ["query"], "init_lora_weights": false}"#,
            seed: 2)
        var last = 1.0
        for rank in 1...6 {
            var sites = 0
            let small = try adapter.compressed(rank: rank) { module, error in
                sites += 1
                #expect(module.hasSuffix("query") && error <= 1)
            }
            #expect(sites == model.shape.layerCount)
            #expect(small.error < last)
            last = small.error
        }
        #expect(last < 1e-5)
    }

    @Test("What has no change of a weight is refused")
    func refusals() throws {
        let model = try Architectures.load(path: Goldens.path("bert-tiny/base"), precision: .float32)
        let bottleneck = try Adapter(model: model, method: "bottleneck", config: nil, seed: 1)
        let error = #expect(throws: GraftError.self) { try bottleneck.compressed(rank: 2) { _, _ in } }
        #expect(error?.code == .unsupported)
    }
}
