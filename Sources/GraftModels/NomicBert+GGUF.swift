import GraftFormats
import GraftTensor

/// Nomic BERT in llama.cpp's files, which have the names of released checkpoints, and queries, keys
/// and values in one tensor.
extension NomicBert {
    static let ggufDialect: GGUFDialect? = GGUFDialect(
        name: "nomic-bert", classSuffix: "Model",
        modules: [
            .init("token_embd", "embeddings.word_embeddings"),
            .init("token_types", "embeddings.token_type_embeddings"), .init("token_embd_norm", "emb_ln"),
            .init("blk.*.attn_qkv", "encoder.layers.*.attn.Wqkv"),
            .init("blk.*.attn_output", "encoder.layers.*.attn.out_proj"),
            .init("blk.*.attn_output_norm", "encoder.layers.*.norm1"),
            .init("blk.*.ffn_up", "encoder.layers.*.mlp.fc11"), .init("blk.*.ffn_gate", "encoder.layers.*.mlp.fc12"),
            .init("blk.*.ffn_down", "encoder.layers.*.mlp.fc2"),
            .init("blk.*.layer_output_norm", "encoder.layers.*.norm2"),
        ],
        writtenModules: [
            .init("token_embd_norm", "embeddings.LayerNorm"), .init("blk.*.attn_qkv", "layers.*.self_attn.q_proj"),
            .init("blk.*.attn_qkv", "layers.*.self_attn.k_proj"), .init("blk.*.attn_qkv", "layers.*.self_attn.v_proj"),
            .init("blk.*.attn_output", "layers.*.self_attn.o_proj"),
            .init("blk.*.attn_output_norm", "layers.*.post_attention_layernorm"),
            .init("blk.*.ffn_up", "layers.*.mlp.up_proj"), .init("blk.*.ffn_gate", "layers.*.mlp.gate_proj"),
            .init("blk.*.ffn_down", "layers.*.mlp.down_proj"),
            .init("blk.*.layer_output_norm", "layers.*.post_mlp_layernorm"),
        ],
        leavesOut: ["position_ids", "pooler", "cls.predictions", "rotary_emb.inv_freq"],
        settings: { (settings) throws(GraftError) in
            var config = try settings.encoder()
            config["max_position_embeddings"] = .integer(try settings.size("context_length"))
            config["hidden_act"] = "silu"
            config["rope_parameters"] = [
                "rope_type": "default", "rope_theta": try settings.float("rope.freq_base") ?? 10_000,
            ]
            return config
        },
        keys: { (keys, source) throws(GraftError) in
            let configuration = try BertConfiguration(source.config, path: source.path, NomicBert.variant)
            try keys.require(configuration.activation == .silu, "hidden_act other than silu")
            try keys.addEncoder(configuration)
            guard let rotary = configuration.rotary else { return try keys.require(false, "no rotary positions") }
            try keys.require(rotary.scaling == .none, "rotary positions that are scaled")
            keys.add("rope.freq_base", .float32(Float(rotary.base)))
        })
}
