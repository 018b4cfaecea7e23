import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// Which settings of a bottleneck are taken, and how the others are refused.
@Suite struct BottleneckSettingsTests {
    private let model: Model

    init() throws {
        model = try Architectures.load(path: Goldens.path("bert-tiny/base"), precision: .float32)
    }

    private func create(_ config: String?) throws -> Adapter {
        try Adapter(model: model, method: "bottleneck", config: config, seed: 1)
    }

    private func shapes(_ config: String?) throws -> [String: [Int]] {
        let tensors = try create(config).content.plan.tensors
        return Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.shape) })
    }

    @Test("Without settings it is seq_bn: after feed-forward in every layer, a sixteenth as wide")
    func defaults() throws {
        let shapes = try shapes(nil)
        #expect(shapes.count == 8)
        for layer in 0..<2 {
            let path = "bert.encoder.layer.\(layer).output.adapters.default."
            #expect(shapes[path + "adapter_down.0.weight"] == [2, 32])
            #expect(shapes[path + "adapter_up.bias"] == [32])
        }
    }

    @Test("Widths are rounded down, are at least 1, and may differ by layer")
    func widths() throws {
        let shapes = try shapes("{\"reduction_factor\": {\"0\": 5.1, \"default\": 100}, \"name\": \"mine\"}")
        #expect(shapes["bert.encoder.layer.0.output.adapters.mine.adapter_up.weight"] == [32, 6])
        #expect(shapes["bert.encoder.layer.1.output.adapters.mine.adapter_up.weight"] == [32, 1])
    }

    @Test("A fresh adapter's own configuration makes the same adapter again")
    func configurationAgain() throws {
        let first = try create("{\"config\": \"houlsby\", \"leave_out\": [1], \"scaling\": 2, \"name\": \"mine\"}")
        let again = try create(first.content.configText)
        #expect(again.content.configText == first.content.configText)
        let written = try again.content.writtenFiles()["adapter.safetensors"]
        #expect(written != nil)
        #expect(try written == first.content.writtenFiles()["adapter.safetensors"])
    }

    @Test(
        "A setting that is wrong or not done is refused by name",
        arguments: [
            ("{\"config\": \"compacter\"}", "compacter"), ("{\"reduction_faktor\": 4}", "reduction_faktor"),
            ("{\"ln_after\": true}", "ln_after"), ("{\"ln_before\": true}", "ln_before"),
            ("{\"use_gating\": true}", "use_gating"), ("{\"inv_adapter\": \"nice\"}", "inv_adapter"),
            ("{\"phm_layer\": true}", "phm_layer"), ("{\"cross_adapter\": true}", "cross_adapter"),
            ("{\"original_ln_after\": false}", "original_ln_after"),
            ("{\"stochastic_depth\": 0.1}", "stochastic_depth"),
            ("{\"scaling\": \"learned\"}", "learned"), ("{\"init_weights\": \"zero\"}", "zero"),
            ("{\"init_weights_seed\": 1}", "init_weights_seed"), ("{\"non_linearity\": \"leakyrelu\"}", "leakyrelu"),
            ("{\"reduction_factor\": 0}", "reduction_factor"), ("{\"reduction_factor\": {\"0\": 4}}", "layer 1"),
            ("{\"reduction_factor\": {\"first\": 4}}", "first"), ("{\"reduction_factor\": 1e-9}", "reduction_factor"),
            ("{\"dropout\": 1}", "dropout"), ("{\"leave_out\": [2]}", "leave_out"),
            ("{\"leave_out\": [0, 1]}", "leave_out"), ("{\"output_adapter\": false}", "output_adapter"),
            ("{\"config\": \"houlsby\", \"residual_before_ln\": \"post_add\"}", "post_add"),
            ("{\"residual_before_ln\": 1}", "residual_before_ln"), ("{\"mh_adapter\": \"yes\"}", "mh_adapter"),
            ("{\"name\": \"a.b\"}", "a.b"), ("{\"task_type\": \"CAUSAL_LM\"}", "language model"),
        ])
    func refused(config: String, word: String) {
        let error = #expect(throws: GraftError.self, "\(config)") { try create(config) }
        #expect(error?.message.contains(word) ?? false, "\(config): \(error?.message ?? "")")
    }

    @Test("A saved adapter leaves no head behind that it no longer has")
    func headGone() throws {
        let folder = try Goldens.temporaryFolder() + "/adapter"
        let adapter = try create(nil)
        try adapter.set(.sequenceClassification, HeadSettings(labels: ["a", "b"], dropout: nil, trainsDense: true))
        try adapter.save(to: folder)
        #expect(try Adapter(model: model, path: folder).content.labels == ["a", "b"])
        try adapter.set(nil)
        try adapter.save(to: folder)
        #expect(FileKind.of(folder + "/head_config.json") == .nothing)
        #expect(try Adapter(model: model, path: folder).content.task == .none)
    }
}
