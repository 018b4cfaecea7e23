import GraftFormats
import GraftTensor

/// Nomic BERT in llama.cpp's files, which have the names of released checkpoints. None is written.
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
        settings: { (settings) throws(GraftError) in
            var config = try settings.encoder()
            config["max_position_embeddings"] = .integer(try settings.size("context_length"))
            config["hidden_act"] = "silu"
            config["rope_parameters"] = [
                "rope_type": "default", "rope_theta": try settings.float("rope.freq_base") ?? 10_000,
            ]
            return config
        })
}
