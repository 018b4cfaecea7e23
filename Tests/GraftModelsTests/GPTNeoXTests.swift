import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@Suite struct GPTNeoXTests {
    private func rows() throws -> RowBatch {
        try Goldens.rows(try JSON(contentsOf: Goldens.path("gpt-neox-tiny/inputs.json")))
    }

    @Test(
        "Hidden states equal those of transformers, whatever way sub-layers stand and older files spell it",
        arguments: [
            ("plain", [:]), ("everything", [:]), ("bare", [:]), ("sequence-classification", [:]),
            ("plain", ["rope_parameters": .null, "rotary_pct": 0.25, "rotary_emb_base": 10_000]),
            (
                "everything",
                [
                    "rope_parameters": .null, "rotary_pct": 0.75, "rotary_emb_base": 500,
                    "rope_scaling": ["type": "linear", "factor": 4.0],
                ]
            ),
        ] as [(String, [String: JSON])])
    func hiddenStatesEqual(name: String, changes: [String: JSON]) throws {
        let file = try SafetensorsFile(path: Goldens.path("gpt-neox-tiny/\(name)/expected.safetensors"))
        let folder = try Goldens.copyOfModel("gpt-neox-tiny/\(name)", changing: changes)
        for (layer, states) in try hiddenStates(folder, try rows()).enumerated() {
            let difference = Goldens.difference(states, try Goldens.floats(file, "hidden_states.\(layer)"))
            #expect(difference < 6e-5, "layer \(layer): \(difference)")
        }
    }

    @Test("Parameters are counted as torch counts them: a tied table once")
    func parameters() throws {
        let layer = 32 * 96 + 32 * 32 + 2 * 48 * 32 + 48 + 32 + 4 * 32
        let plain = try Architectures.load(path: Goldens.path("gpt-neox-tiny/plain"), precision: .float32)
        #expect(plain.source.parameterCount == 2 * 110 * 32 + 2 * (layer + 96 + 32) + 2 * 32)
        #expect(plain.sites.last?.path == "lm_head" && plain.sites.last?.storedWeight == "embed_out.weight")
        let tied = try Architectures.load(path: Goldens.path("gpt-neox-tiny/everything"), precision: .float32)
        #expect(tied.source.parameterCount == 110 * 32 + 2 * layer + 2 * 32 && tied.vocabulary.areTied)
    }

    @Test(
        "A configuration that contradicts itself or asks for what is not done is refused by name",
        arguments: [
            ("num_attention_heads", 3, .unsupported), ("intermediate_size", 100, .incompatible),
            ("num_hidden_layers", 3, .notFound), ("hidden_act", "step", .unsupported),
            ("rope_parameters", ["partial_rotary_factor": 1.5], .unsupported),
            ("rope_parameters", ["partial_rotary_factor": 0.4], .unsupported),
            ("head_dim", 16, .unsupported), ("layer_norm_eps", "small", .corruptFile),
        ] as [(String, JSON, GraftError.Code)])
    func refused(key: String, value: JSON, code: GraftError.Code) throws {
        let folder = try Goldens.copyOfModel("gpt-neox-tiny/plain", changing: [key: value])
        let error = #expect(throws: GraftError.self) { try Architectures.load(path: folder, precision: .float32) }
        #expect(error?.code == code, "\(error?.message ?? "")")
        #expect(error?.message.contains(folder) ?? false, "\(error?.message ?? "")")
    }
}
