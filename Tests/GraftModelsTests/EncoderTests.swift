import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// Encoders of BERT's formula with a difference or two.
@Suite struct EncoderTests {
    @Test(
        "Hidden states equal those of transformers",
        arguments: [
            "electra-tiny/base", "electra-tiny/wide",
            "electra-tiny/sequence-classification", "albert-tiny/base", "albert-tiny/groups", "albert-tiny/masked-lm",
            "albert-tiny/sequence-classification", "albert-tiny/token-classification", "mpnet-tiny/base",
            "mpnet-tiny/masked-lm", "mpnet-tiny/sequence-classification", "modernbert-tiny/base",
            "modernbert-tiny/masked-lm", "modernbert-tiny/mean", "modernbert-tiny/sequence-classification",
            "deberta-v2-tiny/base", "deberta-v2-tiny/apart", "deberta-v2-tiny/keys", "deberta-v2-tiny/masked-lm",
            "deberta-v2-tiny/sequence-classification", "deberta-v2-tiny/convolution",
            "deberta-v2-tiny/convolution-alone",
            "deberta-v2-tiny/token-classification",
            "nomic-bert-tiny/base", "nomic-bert-tiny/scaled", "nomic-bert-tiny/masked-lm",
            "nomic-bert-tiny/sequence-classification", "nomic-bert-tiny/token-classification",
        ])
    func hiddenStatesEqual(name: String) throws {
        let folder = Goldens.path(name)
        let inputs = Goldens.path(String(name.prefix { $0 != "/" }) + "/inputs.json")
        let file = try SafetensorsFile(path: folder + "/expected.safetensors")
        let found = try hiddenStates(folder, try Goldens.rows(try JSON(contentsOf: inputs)))
        #expect(found.count == file.tensors.count { $0.name.hasPrefix("hidden_states.") })
        for (layer, states) in found.enumerated() {
            let difference = Goldens.difference(states, try Goldens.floats(file, "hidden_states.\(layer)"))
            #expect(difference < 5e-5, "layer \(layer): \(difference)")
        }
    }

    @Test(
        "What a configuration asks for and this build has not is refused by its name",
        arguments: [
            ("electra-tiny/base", "embedding_size", 25, .incompatible),
            ("electra-tiny/base", "is_decoder", true, .unsupported),
            ("albert-tiny/base", "embedding_size", 0, .corruptFile),
            ("albert-tiny/base", "num_hidden_groups", 4, .unsupported),
            ("albert-tiny/base", "inner_group_num", 1_048_576, .unsupported),
            ("albert-tiny/base", "inner_group_num", 2, .notFound),
            ("mpnet-tiny/base", "relative_attention_num_buckets", 31, .unsupported),
            ("mpnet-tiny/base", "relative_attention_num_buckets", 32, .incompatible),
            ("modernbert-tiny/base", "hidden_size", 36, .unsupported),
            ("modernbert-tiny/base", "classifier_pooling", "last", .unsupported),
            ("modernbert-tiny/base", "layer_types", ["full_attention"], .corruptFile),
            ("modernbert-tiny/base", "rope_parameters", ["rope_type": "default"], .unsupported),
            ("modernbert-tiny/base", "rope_parameters", ["full_attention": ["rope_type": "yarn"]], .unsupported),
            ("modernbert-tiny/base", "mlp_dropout", 0.1, .unsupported),
            ("deberta-v2-tiny/base", "conv_kernel_size", 3, .notFound),
            ("deberta-v2-tiny/convolution", "conv_kernel_size", 4, .unsupported),
            ("deberta-v2-tiny/convolution", "conv_groups", 2, .unsupported),
            ("deberta-v2-tiny/base", "relative_attention", false, .unsupported),
            ("deberta-v2-tiny/base", "position_buckets", 2, .unsupported),
            ("deberta-v2-tiny/base", "position_buckets", 16, .incompatible),
            ("deberta-v2-tiny/base", "embedding_size", 16, .unsupported),
            ("deberta-v2-tiny/base", "share_att_key", false, .notFound),
            ("nomic-bert-tiny/base", "hidden_size", 36, .unsupported),
            ("nomic-bert-tiny/base", "intermediate_size", 64, .incompatible),
            ("nomic-bert-tiny/base", "num_hidden_layers", 3, .notFound),
            ("nomic-bert-tiny/base", "rope_parameters", ["rope_type": "other"], .unsupported),
            ("nomic-bert-tiny/base", "n_embd", 32, .corruptFile),
        ] as [(String, String, JSON, GraftError.Code)])
    func refused(base: String, key: String, value: JSON, code: GraftError.Code) throws {
        let folder = try Goldens.copyOfModel(base, changing: [key: value])
        let error = #expect(throws: GraftError.self) { try Architectures.load(path: folder, precision: .float32) }
        #expect(error?.code == code, "\(error?.message ?? "")")
        #expect(error?.message.contains(folder) ?? false, "\(error?.message ?? "")")
    }

    /// Settings as Nomic AI's own code has them, where those of transformers say otherwise.
    private static let released: [String: JSON] = [
        "n_embd": 32, "n_head": 4, "n_layer": 2, "n_inner": 48, "n_positions": 64, "layer_norm_epsilon": 1e-12,
        "activation_function": "swiglu", "attn_pdrop": 0, "embd_pdrop": 0, "resid_pdrop": 0, "prenorm": false,
        "qkv_proj_bias": false, "mlp_fc1_bias": false, "mlp_fc2_bias": false, "rotary_emb_fraction": 1,
        "rotary_emb_base": 1000, "rotary_scaling_factor": .null, "hidden_size": 8, "num_hidden_layers": 9,
        "rope_parameters": .null, "max_position_embeddings": 8,
    ]

    @Test("Nomic AI's settings and names, and those of the modules, are one model")
    func releasedLayout() throws {
        let base = "nomic-bert-tiny/base"
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("nomic-bert-tiny/inputs.json")))
        let expected = try hiddenStates(Goldens.path(base), rows)
        let released = try Goldens.copyOfModel(base, changing: Self.released)
        #expect(try hiddenStates(released, rows) == expected)
        #expect(try hiddenStates(Goldens.path("nomic-bert-tiny/modules"), rows) == expected)
        let copy = try Goldens.temporaryFolder() + "/copy"
        try ModelFolderWriter(Architectures.source(path: released)).write(to: copy)
        #expect(try hiddenStates(copy, rows) == expected)
        #expect(try ModelFolder(path: copy).entry("layers.1.self_attn.v_proj.weight")?.shape == [32, 32])
        let scaled = try Goldens.copyOfModel(
            base, changing: Self.released.merging(["rotary_scaling_factor": 2, "max_trained_positions": 16]) { $1 })
        #expect(try Architectures.load(path: scaled, precision: .float32).shape.maximumLength == 16)
    }

    @Test(
        "What Nomic AI's own code does and this build does not is refused by its name",
        arguments: [
            ("n_inner", .null, .corruptFile), ("n_head", 3, .unsupported), ("n_layer", "two", .corruptFile),
            ("n_layer", 3, .notFound), ("n_embd", 0, .corruptFile), ("activation_function", "gelu", .unsupported),
            ("prenorm", true, .unsupported), ("rotary_emb_fraction", 0.5, .unsupported),
            ("rotary_emb_base", "x", .corruptFile), ("qkv_proj_bias", .null, .unsupported),
            ("mlp_fc2_bias", true, .unsupported), ("embd_pdrop", 0.1, .unsupported), ("causal", true, .unsupported),
            ("resid_pdrop", 1, .corruptFile), ("n_positions", -1, .corruptFile),
        ] as [(String, JSON, GraftError.Code)])
    func refusedOfReleased(key: String, value: JSON, code: GraftError.Code) throws {
        let changes = Self.released.merging([key: value]) { $1 }
        let folder = try Goldens.copyOfModel("nomic-bert-tiny/base", changing: changes)
        let error = #expect(throws: GraftError.self) { try Architectures.load(path: folder, precision: .float32) }
        #expect(error?.code == code, "\(error?.message ?? "")")
        #expect(error?.message.contains(folder) ?? false, "\(error?.message ?? "")")
    }

    @Test("A module that layers share is one site, at the lowest of their depths")
    func sharedSites() throws {
        let model = try Architectures.load(path: Goldens.path("albert-tiny/groups"), precision: .float32)
        #expect(model.shape.layerCount == 10)
        let queries = model.sites.filter { $0.path.hasSuffix(".query") }
        #expect(
            queries.map(\.path)
                == [(0, 0), (0, 1), (1, 0), (1, 1)].map {
                    "encoder.albert_layer_groups.\($0.0).albert_layers.\($0.1).attention.query"
                })
        #expect(queries.map(\.depth) == [1, 2, 7, 8])
    }
}
