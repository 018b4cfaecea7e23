import GraftFormats
import GraftTensor

/// GPT-2 in llama.cpp's files, which have all linear modules [outputs, inputs].
extension GPT2 {
    static let ggufDialect: GGUFDialect? = GGUFDialect(
        classSuffix: "LMHeadModel",
        modules: [
            .init("token_embd", "transformer.wte"), .init("position_embd", "transformer.wpe"),
            .init("output_norm", "transformer.ln_f"), .init("output", "lm_head"),
            .init("blk.*.attn_norm", "transformer.h.*.ln_1"),
            .init("blk.*.attn_qkv", "transformer.h.*.attn.c_attn", .transposed),
            .init("blk.*.attn_output", "transformer.h.*.attn.c_proj", .transposed),
            .init("blk.*.ffn_norm", "transformer.h.*.ln_2"),
            .init("blk.*.ffn_up", "transformer.h.*.mlp.c_fc", .transposed),
            .init("blk.*.ffn_down", "transformer.h.*.mlp.c_proj", .transposed),
        ],
        leavesOut: ["attn.bias", "attn.masked_bias"],
        settings: { (settings) throws(GraftError) in
            var config = JSONObject()
            config["vocab_size"] = try settings.rows(of: "token_embd.weight")
            config["n_embd"] = .integer(try settings.size("embedding_length"))
            config["n_layer"] = .integer(try settings.size("block_count"))
            config["n_head"] = .integer(try settings.headCount())
            config["n_inner"] = .integer(try settings.size("feed_forward_length"))
            config["n_positions"] = .integer(try settings.size("context_length"))
            config["layer_norm_epsilon"] = try settings.float("attention.layer_norm_epsilon")
            config["activation_function"] = "gelu_new"
            config["tie_word_embeddings"] = true
            return config
        },
        keys: { (keys, source) throws(GraftError) in
            let configuration = try GPT2Configuration(source.config, path: source.path)
            try keys.require(configuration.activation == .geluTanh, "activation_function other than gelu_new")
            keys.addSizes(
                length: configuration.maximumLength, width: configuration.hiddenSize,
                layers: configuration.layerCount, innerSize: configuration.intermediateSize,
                heads: configuration.headCount, keyHeads: configuration.headCount)
            keys.add("attention.layer_norm_epsilon", .float32(configuration.epsilon))
        })
}
