import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@Suite struct GPT2Tests {
    private func rows() throws -> RowBatch {
        try Goldens.rows(try JSON(contentsOf: Goldens.path("gpt2-tiny/inputs.json")))
    }

    @Test(
        "Hidden states equal those of transformers, whatever class the checkpoint was saved from",
        arguments: ["plain", "everything", "bare", "sequence-classification"])
    func hiddenStatesEqual(name: String) throws {
        let file = try SafetensorsFile(path: Goldens.path("gpt2-tiny/\(name)/expected.safetensors"))
        for (layer, states) in try hiddenStates(Goldens.path("gpt2-tiny/\(name)"), try rows()).enumerated() {
            let difference = Goldens.difference(states, try Goldens.floats(file, "hidden_states.\(layer)"))
            #expect(difference < 6e-5, "layer \(layer): \(difference)")
        }
    }

    @Test("Parameters are counted as torch counts them: a tied table once")
    func parameters() throws {
        let plain = try Architectures.load(path: Goldens.path("gpt2-tiny/plain"), precision: .float32)
        let layer = (32 * 96 + 96) + (32 * 32 + 32) + (32 * 128 + 128) + (128 * 32 + 32) + 4 * 32
        #expect(plain.source.parameterCount == 110 * 32 + 64 * 32 + 2 * layer + 2 * 32)
        #expect(plain.languageHead != nil && plain.endTokens == [2])
        let bare = try Architectures.load(path: Goldens.path("gpt2-tiny/bare"), precision: .float32)
        #expect(bare.languageHead == nil)
        let classifier = try Architectures.load(
            path: Goldens.path("gpt2-tiny/sequence-classification"), precision: .float32)
        #expect(classifier.baseHead?.labels == ["greeting", "complaint", "question"])
    }

    @Test(
        "A configuration that contradicts itself or asks for what is not done is refused by name",
        arguments: [
            ("n_head", 3, .unsupported), ("n_inner", 100, .incompatible), ("n_layer", 3, .notFound),
            ("n_positions", 100, .incompatible), ("activation_function", "step", .unsupported),
            ("scale_attn_weights", false, .unsupported), ("scale_attn_by_inverse_layer_idx", true, .unsupported),
            ("add_cross_attention", true, .unsupported), ("layer_norm_epsilon", "small", .corruptFile),
        ] as [(String, JSON, GraftError.Code)])
    func refused(key: String, value: JSON, code: GraftError.Code) throws {
        let folder = try Goldens.copyOfModel("gpt2-tiny/plain", changing: [key: value])
        let error = #expect(throws: GraftError.self) { try Architectures.load(path: folder, precision: .float32) }
        #expect(error?.code == code, "\(error?.message ?? "")")
        #expect(error?.message.contains(folder) ?? false, "\(error?.message ?? "")")
    }
}
