import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@Suite struct LlamaTests {
    private func rows() throws -> RowBatch {
        try Goldens.rows(try JSON(contentsOf: Goldens.path("llama-tiny/inputs.json")))
    }

    @Test(
        "Hidden states equal those of transformers, whatever way the checkpoint was saved",
        arguments: [
            ("plain", "plain"), ("plain-v4", "plain"), ("everything", "everything"), ("everything-v4", "everything"),
            ("bare-linear", "bare-linear"), ("sequence-classification", "sequence-classification"),
        ])
    func hiddenStatesEqual(folder: String, expected: String) throws {
        let file = try SafetensorsFile(path: Goldens.path("llama-tiny/\(expected)/expected.safetensors"))
        for (layer, states) in try hiddenStates(Goldens.path("llama-tiny/\(folder)"), try rows()).enumerated() {
            let difference = Goldens.difference(states, try Goldens.floats(file, "hidden_states.\(layer)"))
            #expect(difference < 6e-5, "layer \(layer): \(difference)")
        }
    }

    @Test("Parameters are counted as torch counts them: a tied table once")
    func parameters() throws {
        let plain = try Architectures.load(path: Goldens.path("llama-tiny/plain"), precision: .float32)
        let layer = 32 * 32 + 2 * 16 * 32 + 32 * 32 + 3 * 48 * 32 + 64
        #expect(plain.source.parameterCount == 110 * 32 + 2 * layer + 32)
        #expect(plain.languageHead != nil)
        #expect(plain.endTokens == [2, 5])
        let bare = try Architectures.load(path: Goldens.path("llama-tiny/bare-linear"), precision: .float32)
        #expect(bare.languageHead == nil)
        let classifier = try Architectures.load(
            path: Goldens.path("llama-tiny/sequence-classification"), precision: .float32)
        #expect(classifier.baseHead?.labels == ["greeting", "complaint", "question"])
    }

    @Test(
        "A tied model has the tables that its file has: either for both, or each its own where they differ",
        arguments: [(true, false, true), (true, true, true), (false, true, true), (true, true, false)])
    func tiedTables(hasTable: Bool, hasMatrix: Bool, areEqual: Bool) throws {
        let source = Goldens.path("llama-tiny/plain")
        let folder = try Goldens.temporaryFolder()
        let file = try SafetensorsFile(path: source + "/model.safetensors")
        let table = try #require(file["model.embed_tokens.weight"])
        let other = try Goldens.floats(table).map { areEqual ? $0 : $0 + 1 }
        try other.withUnsafeBytes { other throws in
            var tensors: [SafetensorsWriter.Tensor] = file.tensors
                .filter { $0.name != table.name && $0.name != "lm_head.weight" }
                .map { ($0.name, $0.elementType, $0.shape, $0.bytes) }
            if hasTable { tensors.append((table.name, .float32, table.shape, table.bytes)) }
            if hasMatrix { tensors.append(("lm_head.weight", .float32, table.shape, other)) }
            try SafetensorsWriter.write(tensors: tensors, to: folder + "/model.safetensors")
        }
        try AtomicFile.write(try MappedFile.contents(of: source + "/config.json"), to: folder + "/config.json")
        let plain = try Architectures.load(path: source, precision: .float32)
        let model = try Architectures.load(path: folder, precision: .float32)
        #expect(model.vocabulary.areTied == areEqual)
        #expect(model.source.parameterCount == plain.source.parameterCount + (areEqual ? 0 : 110 * 32))
        #expect(try hiddenStates(folder, try rows())[2] == hiddenStates(source, try rows())[2])
        var weight = [Float](repeating: 0, count: 110 * 32)
        try model.sites[#require(model.vocabulary.head)].copyWeight(&weight)
        #expect(weight == other)
    }

    @Test(
        "A configuration that contradicts itself or asks for what is not done is refused by name",
        arguments: [
            ("num_key_value_heads", 3, .corruptFile), ("num_attention_heads", 16_777_216, .incompatible),
            ("intermediate_size", 16_777_216, .incompatible), ("head_dim", 7, .unsupported),
            ("head_dim", 16, .incompatible), ("hidden_act", "step", .unsupported),
            ("rms_norm_eps", "small", .corruptFile),
            ("eos_token_id", "end", .corruptFile), ("num_hidden_layers", 3, .notFound),
            ("attention_bias", true, .notFound),
            ("rope_parameters", ["rope_type": "longrope", "factor": 2.0], .corruptFile),
            ("rope_parameters", ["rope_type": "proportional"], .unsupported),
            ("rope_parameters", ["rope_type": "linear"], .corruptFile),
            ("rope_parameters", ["rope_type": "linear", "factor": 0], .corruptFile),
            ("rope_parameters", ["rope_type": "linear", "factor": 1e300], .corruptFile),
            ("rope_parameters", ["rope_type": "linear", "factor": 1e-300], .corruptFile),
            ("rope_parameters", ["rope_theta": 0.5], .corruptFile),
            ("rope_parameters", ["partial_rotary_factor": 0.5], .unsupported),
            ("rope_scaling", ["rope_type": "yarn", "factor": -2.0], .corruptFile),
            ("rope_parameters", ["rope_type": "dynamic"], .corruptFile),
            ("pad_token_id", 110, .incompatible), ("is_causal", false, .unsupported),
            ("is_causal", .null, .unsupported),
            ("sliding_window", 16, .unsupported), ("layer_types", ["full_attention", "conv"], .unsupported),
            ("layer_types", ["full_attention"], .unsupported),
            (
                "rope_parameters",
                ["rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4], .corruptFile
            ),
        ] as [(String, JSON, GraftError.Code)])
    func refused(key: String, value: JSON, code: GraftError.Code) throws {
        let folder = try Goldens.copyOfModel("llama-tiny/plain", changing: [key: value])
        let error = #expect(throws: GraftError.self) { try Architectures.load(path: folder, precision: .float32) }
        #expect(error?.code == code, "\(error?.message ?? "")")
        #expect(error?.message.contains(folder) ?? false, "\(error?.message ?? "")")
    }
}
