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
        })
}

extension Gemma2 {
    static let ggufDialect: GGUFDialect? = GGUFDialect(
        modules: GGUFDialect.gemmaModules, reads: ["attn_logit_softcapping", "final_logit_softcapping"],
        settings: { (settings) throws(GraftError) in
            // Of the model of 27 billion, as llama.cpp knows it by its layers.
            var config = try GGUFDialect.gemmaSettings(settings, layersOfLargest: 46)
            config["attn_logit_softcapping"] = try settings.float("attn_logit_softcapping") ?? 50
            config["final_logit_softcapping"] = try settings.float("final_logit_softcapping") ?? 30
            return config
        })
}

extension Gemma3 {
    static let ggufDialect: GGUFDialect? = GGUFDialect(
        name: "gemma3", className: "Gemma3", modules: GGUFDialect.gemmaModules, reads: ["final_logit_softcapping"],
        settings: { (settings) throws(GraftError) in
            var config = try GGUFDialect.gemmaSettings(settings, layersOfLargest: 62)
            config["final_logit_softcapping"] = try settings.float("final_logit_softcapping")
            config["rope_local_base_freq"] = try settings.float("rope.freq_base_swa") ?? 10_000
            config["sliding_window_pattern"] = .integer(
                try settings.optionalSize("attention.sliding_window_pattern") ?? 6)
            return config
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
