import GraftFormats
import GraftTensor

/// BERT in llama.cpp's files, which are encoders without a pooler or a head.
extension Bert {
    static let ggufDialect: GGUFDialect? = GGUFDialect(
        classSuffix: "Model",
        modules: [
            .init("token_embd", "embeddings.word_embeddings"),
            .init("position_embd", "embeddings.position_embeddings"),
            .init("token_types", "embeddings.token_type_embeddings"),
            .init("token_embd_norm", "embeddings.LayerNorm"),
            .init("blk.*.attn_q", "encoder.layer.*.attention.self.query"),
            .init("blk.*.attn_k", "encoder.layer.*.attention.self.key"),
            .init("blk.*.attn_v", "encoder.layer.*.attention.self.value"),
            .init("blk.*.attn_output", "encoder.layer.*.attention.output.dense"),
            .init("blk.*.attn_output_norm", "encoder.layer.*.attention.output.LayerNorm"),
            .init("blk.*.ffn_up", "encoder.layer.*.intermediate.dense"),
            .init("blk.*.ffn_down", "encoder.layer.*.output.dense"),
            .init("blk.*.layer_output_norm", "encoder.layer.*.output.LayerNorm"),
        ],
        leavesOut: ["position_ids", "pooler", "cls.predictions", "cls.seq_relationship"],
        settings: { (settings) throws(GraftError) in
            var config = try settings.encoder()
            config["max_position_embeddings"] = try settings.rows(of: "position_embd.weight")
            config["hidden_act"] = "gelu"
            return config
        },
        keys: { (keys, source) throws(GraftError) in
            let configuration = try BertConfiguration(source.config, path: source.path)
            try keys.require(configuration.activation == .gelu, "hidden_act other than gelu")
            try keys.addEncoder(configuration)
        })
}

extension GGUFKeys {
    /// What files of encoders of BERT's formula say alike.
    mutating func addEncoder(_ configuration: BertConfiguration) throws(GraftError) {
        addSizes(
            length: configuration.maximumLength, width: configuration.hiddenSize, layers: configuration.layerCount,
            innerSize: configuration.intermediateSize, heads: configuration.headCount,
            keyHeads: configuration.headCount)
        add("attention.layer_norm_epsilon", .float32(configuration.epsilon))
        add("attention.causal", .bool(false))
        // The mean, which is how such files are read here.
        add("pooling_type", .unsigned32(1))
        metadata.add("tokenizer.ggml.token_type_count", .unsigned32(configuration.typeCount))
    }
}

extension GGUFSettings {
    /// What files of encoders of BERT's formula say alike.
    func encoder() throws(GraftError) -> JSONObject {
        if try flag("attention.causal") == true { throw unsupported("attention.causal", expected: "false alone") }
        var config = JSONObject()
        config["vocab_size"] = try rows(of: "token_embd.weight")
        config["hidden_size"] = .integer(try size("embedding_length"))
        config["num_hidden_layers"] = .integer(try size("block_count"))
        config["num_attention_heads"] = .integer(try headCount())
        config["intermediate_size"] = .integer(try size("feed_forward_length"))
        config["type_vocab_size"] = try rows(of: "token_types.weight")
        config["layer_norm_eps"] = try float("attention.layer_norm_epsilon")
        return config
    }
}
