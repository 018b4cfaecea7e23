import GraftFormats
import GraftTensor

/// Gemma in llama.cpp's files, where norms have the scales themselves.
extension Gemma {
    static let ggufDialect: GGUFDialect? = GGUFDialect(
        modules: GGUFDialect.llamaModules(norm: .scale),
        settings: { (settings) throws(GraftError) in
            var config = try GGUFDialect.llamaSettings(settings)
            config["hidden_act"] = "gelu_pytorch_tanh"
            return config
        },
        keys: { (keys, source) throws(GraftError) in try keys.addLlama(Gemma.self, source, window: .none) })
}

/// Layers of the models of 27 billion, which llama.cpp knows by them.
private let (largestGemma2, largestGemma3) = (46, 62)

extension Gemma2 {
    static let ggufDialect: GGUFDialect? = GGUFDialect(
        modules: GGUFDialect.gemmaModules, reads: ["attn_logit_softcapping", "final_logit_softcapping"],
        settings: { (settings) throws(GraftError) in
            var config = try GGUFDialect.gemmaSettings(settings, layersOfLargest: largestGemma2)
            config["attn_logit_softcapping"] = try settings.float("attn_logit_softcapping") ?? 50
            config["final_logit_softcapping"] = try settings.float("final_logit_softcapping") ?? 30
            return config
        },
        keys: { (keys, source) throws(GraftError) in
            try keys.addLlama(Gemma2.self, source, window: .each(2), layersOfLargest: largestGemma2)
        })
}

extension Gemma3 {
    static let ggufDialect: GGUFDialect? = GGUFDialect(
        name: "gemma3", className: "Gemma3", modules: GGUFDialect.gemmaModules, reads: ["final_logit_softcapping"],
        settings: { (settings) throws(GraftError) in
            var config = try GGUFDialect.gemmaSettings(settings, layersOfLargest: largestGemma3)
            config["final_logit_softcapping"] = try settings.float("final_logit_softcapping")
            config["rope_local_base_freq"] = try settings.float("rope.freq_base_swa") ?? 10_000
            config["sliding_window_pattern"] = .integer(
                try settings.optionalSize("attention.sliding_window_pattern") ?? 6)
            return config
        },
        keys: { (keys, source) throws(GraftError) in
            try keys.addLlama(Gemma3.self, source, window: .eachSaid(6), layersOfLargest: largestGemma3)
        })
}

extension GGUFDialect {
    fileprivate static let gemmaModules =
        llamaModules(norm: .scale, feedForwardNorm: "pre_feedforward_layernorm") + [
            Module("blk.*.post_attention_norm", "model.layers.*.post_attention_layernorm", .scale),
            Module("blk.*.post_ffw_norm", "model.layers.*.post_feedforward_layernorm", .scale),
        ]

    /// - Parameter layersOfLargest: layers of the one model whose scores are not scaled by the
    ///   width of a head, but by that of the model for each head.
    fileprivate static func gemmaSettings(
        _ settings: GGUFSettings, layersOfLargest: Int
    ) throws(GraftError) -> JSONObject {
        var config = try llamaSettings(settings)
        let (heads, hidden) = (try settings.headCount(), try settings.size("embedding_length"))
        let isLargest = try settings.size("block_count") == layersOfLargest
        config["query_pre_attn_scalar"] = isLargest ? .integer(hidden / heads) : config["head_dim"]
        config["hidden_act"] = nil
        config["hidden_activation"] = "gelu_pytorch_tanh"
        config["sliding_window"] = .integer(try settings.optionalSize("attention.sliding_window") ?? 4096)
        return config
    }
}
