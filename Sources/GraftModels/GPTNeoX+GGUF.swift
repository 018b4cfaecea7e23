import GraftFormats
import GraftTensor

/// GPT-NeoX in llama.cpp's files, where queries, keys and values lie one after the other.
extension GPTNeoX {
    static let ggufDialect: GGUFDialect? = GGUFDialect(
        name: "gptneox",
        modules: [
            .init("token_embd", "gpt_neox.embed_in"), .init("output_norm", "gpt_neox.final_layer_norm"),
            .init("output", "embed_out"),
            .init("blk.*.attn_norm", "gpt_neox.layers.*.input_layernorm"),
            .init("blk.*.attn_qkv", "gpt_neox.layers.*.attention.query_key_value", .joined),
            .init("blk.*.attn_output", "gpt_neox.layers.*.attention.dense"),
            .init("blk.*.ffn_norm", "gpt_neox.layers.*.post_attention_layernorm"),
            .init("blk.*.ffn_up", "gpt_neox.layers.*.mlp.dense_h_to_4h"),
            .init("blk.*.ffn_down", "gpt_neox.layers.*.mlp.dense_4h_to_h"),
        ],
        leavesOut: ["attention.bias", "attention.masked_bias", "rotary_emb.inv_freq"],
        settings: { (settings) throws(GraftError) in
            let (hidden, heads) = (try settings.size("embedding_length"), try settings.headCount())
            var config = JSONObject()
            config["vocab_size"] = try settings.rows(of: "token_embd.weight")
            config["hidden_size"] = .integer(hidden)
            config["num_hidden_layers"] = .integer(try settings.size("block_count"))
            config["num_attention_heads"] = .integer(heads)
            config["intermediate_size"] = .integer(try settings.size("feed_forward_length"))
            config["max_position_embeddings"] = .integer(try settings.size("context_length"))
            config["layer_norm_eps"] = try settings.float("attention.layer_norm_epsilon")
            config["use_parallel_residual"] = .bool(try settings.flag("use_parallel_residual") ?? true)
            config["attention_bias"] = .bool(settings.has("blk.0.attn_qkv.bias"))
            config["hidden_act"] = "gelu"
            config["rotary_pct"] = try settings.rotaryShare(ofWidth: max(hidden / heads, 1))
            config["rotary_emb_base"] = try settings.float("rope.freq_base") ?? 10_000
            config["tie_word_embeddings"] = .bool(!settings.has("output.weight"))
            return config
        },
        keys: { (keys, source) throws(GraftError) in
            let configuration = try GPTNeoXConfiguration(source.config, path: source.path)
            try keys.require(configuration.activation == .gelu, "hidden_act other than gelu")
            try keys.require(configuration.rotary.scaling == .none, "rotary positions that are scaled")
            keys.addSizes(
                length: configuration.maximumLength, width: configuration.hiddenSize,
                layers: configuration.layerCount, innerSize: configuration.intermediateSize,
                heads: configuration.headCount, keyHeads: configuration.headCount)
            keys.add("attention.layer_norm_epsilon", .float32(configuration.epsilon))
            keys.add("use_parallel_residual", .bool(configuration.isParallel))
            keys.add(
                "rope.dimension_count",
                .unsigned32(configuration.rotary.turnedWidth(of: configuration.headWidth)))
            keys.add("rope.freq_base", .float32(Float(configuration.rotary.base)))
        })
}
