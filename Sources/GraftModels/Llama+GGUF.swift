import GraftFormats
import GraftTensor

/// Llama and its kin in llama.cpp's files. Where rotary positions turn numbers that lie side by
/// side, as Llama's own code has them, queries and keys were reordered when the file was made.
extension GGUFDialect {
    /// - Parameters:
    ///   - isReordered: whether the rows of queries and keys lie as Llama's own code has them.
    ///   - configuresBiases: whether config.json says which modules have biases.
    static func ofLlama(
        _ kin: any LlamaKin.Type, isReordered: Bool, configuresBiases: Bool = false, name: String? = nil
    ) -> GGUFDialect {
        GGUFDialect(
            name: name, modules: llamaModules(isReordered: isReordered), readBySettings: [RotaryFactors.tensor],
            leavesOut: ["rotary_emb.inv_freq"],
            settings: { (settings) throws(GraftError) in
                try llamaSettings(settings, configuresBiases: configuresBiases)
            },
            keys: { (keys, source) throws(GraftError) in try keys.addLlama(kin, source, window: .none) })
    }

    /// - Parameters:
    ///   - norm: how scales of norms lie.
    ///   - feedForwardNorm: the norm before the feed-forward.
    static func llamaModules(
        isReordered: Bool = false, norm: Form = .plain, feedForwardNorm: String = "post_attention_layernorm"
    ) -> [Module] {
        let layer = "model.layers.*."
        return [
            Module("token_embd", "model.embed_tokens"), Module("output_norm", "model.norm", norm),
            Module("output", "lm_head"),
            Module("blk.*.attn_norm", layer + "input_layernorm", norm),
            Module("blk.*.attn_q", layer + "self_attn.q_proj", isReordered ? .interleavedQueries : .plain),
            Module("blk.*.attn_k", layer + "self_attn.k_proj", isReordered ? .interleavedKeys : .plain),
            Module("blk.*.attn_v", layer + "self_attn.v_proj"),
            Module("blk.*.attn_output", layer + "self_attn.o_proj"),
            Module("blk.*.attn_q_norm", layer + "self_attn.q_norm", norm),
            Module("blk.*.attn_k_norm", layer + "self_attn.k_norm", norm),
            Module("blk.*.ffn_norm", layer + feedForwardNorm, norm),
            Module("blk.*.ffn_gate", layer + "mlp.gate_proj"), Module("blk.*.ffn_up", layer + "mlp.up_proj"),
            Module("blk.*.ffn_down", layer + "mlp.down_proj"),
        ]
    }

    static func llamaSettings(
        _ settings: GGUFSettings, configuresBiases: Bool = false, turnsInPart: Bool = false
    ) throws(GraftError) -> JSONObject {
        let (hidden, heads) = (try settings.size("embedding_length"), try settings.headCount())
        let headWidth = try settings.optionalSize("attention.key_length") ?? max(hidden / heads, 1)
        for key in ["attention.value_length"] + (turnsInPart ? [] : ["rope.dimension_count"]) {
            guard let width = try settings.optionalSize(key), width != headWidth else { continue }
            throw settings.unsupported(key, expected: "\(headWidth), as many as the heads of keys are wide")
        }
        if try settings.flag("attention.causal") == false {
            throw settings.unsupported("attention.causal", expected: "true alone")
        }
        var config = JSONObject()
        config["vocab_size"] = try settings.rows(of: "token_embd.weight")
        config["hidden_size"] = .integer(hidden)
        config["num_hidden_layers"] = .integer(try settings.size("block_count"))
        config["num_attention_heads"] = .integer(heads)
        config["num_key_value_heads"] = .integer(try settings.keyValueHeadCount())
        config["head_dim"] = .integer(headWidth)
        config["intermediate_size"] = .integer(try settings.size("feed_forward_length"))
        config["max_position_embeddings"] = .integer(try settings.size("context_length"))
        config["rms_norm_eps"] = try settings.float("attention.layer_norm_rms_epsilon")
        config["hidden_act"] = "silu"
        config["tie_word_embeddings"] = .bool(!settings.has("output.weight"))
        if configuresBiases {
            config["attention_bias"] = .bool(settings.has("blk.0.attn_q.bias"))
            config["mlp_bias"] = .bool(settings.has("blk.0.ffn_gate.bias"))
        }
        config["rope_theta"] = try settings.float("rope.freq_base") ?? 10_000
        config["rope_scaling"] = try scaling(settings, headWidth: headWidth)
        return config
    }

    private static func scaling(_ settings: GGUFSettings, headWidth: Int) throws(GraftError) -> JSON? {
        switch try settings.string("rope.scaling.type") {
        case nil, "none": break
        case "linear": return ["rope_type": "linear", "factor": try settings.float("rope.scaling.factor") ?? 1]
        case "yarn":
            return [
                "rope_type": "yarn", "factor": try settings.float("rope.scaling.factor") ?? 1,
                "original_max_position_embeddings": .integer(try settings.size("rope.scaling.original_context_length")),
            ]
        default: throw settings.unsupported("rope.scaling.type", expected: "none, linear or yarn")
        }
        let base = try settings.float("rope.freq_base")?.doubleValue ?? 10_000
        return try RotaryFactors(settings.file)?.scaling(base: base, headWidth: headWidth)
    }
}

extension Llama {
    static let ggufDialect: GGUFDialect? = .ofLlama(Llama.self, isReordered: true, configuresBiases: true)
}

/// Its files are Llama's, and are read as those.
extension Mistral {
    static let ggufDialect: GGUFDialect? = .ofLlama(
        Mistral.self, isReordered: true, name: Llama.conventions.architecture)
}

extension Phi3 {
    static let ggufDialect: GGUFDialect? = GGUFDialect(
        modules: [
            .init("blk.*.attn_qkv", "model.layers.*.self_attn.qkv_proj"),
            .init("blk.*.ffn_up", "model.layers.*.mlp.gate_up_proj"),
        ] + GGUFDialect.llamaModules(),
        leavesOut: ["rotary_emb.inv_freq"],
        settings: { (settings) throws(GraftError) in
            var config = try GGUFDialect.llamaSettings(settings, turnsInPart: true)
            config["partial_rotary_factor"] = try settings.rotaryShare(ofWidth: config["head_dim"]?.intValue ?? 1)
            // 0 stands for none.
            let window = "attention.sliding_window"
            config["sliding_window"] =
                try settings.float(window)?.doubleValue == 0
                ? .null : settings.optionalSize(window).map(JSON.integer) ?? .null
            return config
        },
        keys: { (keys, source) throws(GraftError) in try keys.addLlama(Phi3.self, source, window: .all) })
}

extension OLMo2 {
    static let ggufDialect: GGUFDialect? = GGUFDialect(
        modules: [
            .init("blk.*.post_attention_norm", "model.layers.*.post_attention_layernorm"),
            .init("blk.*.post_ffw_norm", "model.layers.*.post_feedforward_layernorm"),
        ] + GGUFDialect.llamaModules(),
        readBySettings: [RotaryFactors.tensor], leavesOut: ["rotary_emb.inv_freq"],
        settings: { (settings) throws(GraftError) in
            var config = try GGUFDialect.llamaSettings(settings, configuresBiases: true)
            config["mlp_bias"] = nil
            return config
        },
        keys: { (keys, source) throws(GraftError) in try keys.addLlama(OLMo2.self, source, window: .none) })
}

extension SmolLM3 {
    static let ggufDialect: GGUFDialect? = .ofLlama(SmolLM3.self, isReordered: true, configuresBiases: true)
}

extension Qwen2 {
    static let ggufDialect: GGUFDialect? = .ofLlama(Qwen2.self, isReordered: false)
}

extension Qwen3 {
    static let ggufDialect: GGUFDialect? = .ofLlama(Qwen3.self, isReordered: false, configuresBiases: true)
}
