import GraftFormats
import GraftTensor

/// Checkpoints in the layout that Nomic AI releases.
extension NomicBert {
    /// What these call the settings, and what transformers 5 does.
    private static let keys = [
        ("n_embd", "hidden_size"), ("n_layer", "num_hidden_layers"), ("n_head", "num_attention_heads"),
        ("n_inner", "intermediate_size"), ("layer_norm_epsilon", "layer_norm_eps"),
        ("resid_pdrop", "hidden_dropout_prob"), ("attn_pdrop", "attention_probs_dropout_prob"),
    ]

    /// What they call modules; the three of attention are parts of one tensor.
    private static let names = [
        ("bert", "nomic_bert"), ("encoder.layers", "layers"), ("emb_ln", "embeddings.LayerNorm"),
        ("attn.Wqkv", joined), ("attn.out_proj", "self_attn.o_proj"), ("mlp.fc11", "mlp.up_proj"),
        ("mlp.fc12", "mlp.gate_proj"), ("mlp.fc2", "mlp.down_proj"), ("norm1", "post_attention_layernorm"),
        ("norm2", "post_mlp_layernorm"),
    ].map { (released: $0.0.split(separator: "."), own: $0.1.split(separator: ".")) }

    private static let joined = "self_attn.Wqkv"

    /// Settings that the code of these checkpoints acts on, and transformers 5 does not have.
    private static let rules: [ConfigurationRule] = [
        .only("prenorm", false), .only("parallel_block", false), .only("use_rms_norm", false), .only("causal", false),
        .only("rotary_emb_interleaved", false), .only("rotary_emb_scale_base"), .only("num_experts", 0),
        .onlyTrue("scale_attn_weights"), .only("scale_attn_by_inverse_layer_idx", false),
    ]

    /// Biases, which these have where nothing is said.
    private static let biases = ["qkv_proj_bias", "mlp_fc1_bias", "mlp_fc2_bias"]

    static func view(_ folder: any TensorSource) throws(GraftError) -> any TensorSource {
        let config = try config(folder)
        guard config != folder.config || folder.tensorNames.contains(where: { own($0) != $0 }) else { return folder }
        return TensorView(of: folder, config: config, named: own, parts: parts)
    }

    private static func own(_ name: String) -> String {
        var parts = name.split(separator: ".", omittingEmptySubsequences: false)
        for (released, own) in names {
            guard let place = parts.indices.first(where: { parts[$0...].starts(with: released) }) else { continue }
            parts.replaceSubrange(place..<place + released.count, with: own)
        }
        return parts.joined(separator: ".")
    }

    private static func parts(_ name: String) -> [String] {
        let end = joined + ".weight"
        guard name.hasSuffix(end) else { return [] }
        let start = String(name.dropLast(end.count))
        return ["q_proj", "k_proj", "v_proj"].map { start + "self_attn.\($0).weight" }
    }

    /// config.json as transformers 5 writes it.
    private static func config(_ folder: any TensorSource) throws(GraftError) -> JSON {
        var config = try folder.config.requireObject()
        guard config["n_embd"] != nil else { return folder.config }
        let reader = ConfigurationReader(folder.config, path: folder.path)
        for key in ["n_embd", "n_layer", "n_head", "n_inner"] { _ = try reader.size(key) }
        for rule in rules { try rule.check(folder.config, file: reader.file) }
        for key in biases where try reader.flag(key, true) {
            throw GraftError(.unsupported, "\(reader.file): \"\(key)\" is true; this build does false")
        }
        let activation = try reader.config.string("activation_function")
        guard activation == "swiglu" else {
            throw GraftError(
                .unsupported, "\(reader.file): activation_function \"\(activation)\"; this build does \"swiglu\"")
        }
        let share = try reader.config.optionalDouble("rotary_emb_fraction") ?? 0
        guard share == 1 else {
            throw GraftError(.unsupported, "\(reader.file): \"rotary_emb_fraction\" is \(share); this build does 1")
        }
        let dropout = try reader.probability("resid_pdrop", 0.1)
        let embeddingDropout = try reader.probability("embd_pdrop", 0.1)
        guard dropout == embeddingDropout else {
            throw GraftError(
                .unsupported,
                "\(reader.file): \"embd_pdrop\" is \(embeddingDropout), and \"resid_pdrop\" \(dropout); this build does the "
                    + "same for both")
        }
        config["resid_pdrop"] = config["resid_pdrop"] ?? 0.1
        config["attn_pdrop"] = config["attn_pdrop"] ?? 0.1
        config["layer_norm_epsilon"] = config["layer_norm_epsilon"] ?? 1e-5
        for (released, own) in keys {
            config[own] = config[released]
            config[released] = nil
        }
        // Longer texts than those it was trained on would turn by other frequencies each.
        let isScaled = try reader.config.optionalDouble("rotary_scaling_factor") != nil
        let length = try reader.size("n_positions", 1024)
        let trained = try reader.size("max_trained_positions", 2048)
        config["max_position_embeddings"] = .integer(isScaled ? min(length, trained) : length)
        let base = try reader.config.optionalDouble("rotary_emb_base") ?? 10_000
        config["rope_parameters"] = ["rope_type": "default", "rope_theta": .double(base)]
        config["hidden_act"] = "silu"
        for key in others { config[key] = nil }
        return .object(config)
    }

    /// Keys that mean nothing to transformers 5, or that name the code of these checkpoints.
    private static let others =
        rules.map(\.key) + biases + [
            "activation_function", "auto_map", "embd_pdrop", "max_trained_positions", "n_positions", "rotary_emb_base",
            "rotary_emb_fraction", "rotary_scaling_factor",
        ]
}
