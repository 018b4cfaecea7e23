import GraftFormats
import GraftLayers
import GraftTensor

/// What config.json says of a GPT-NeoX model: transformers 5 writes `rope_parameters`, older files
/// have `rotary_emb_base` and `rotary_pct`.
struct GPTNeoXConfiguration {
    let vocabularySize: Int
    let hiddenSize: Int
    let layerCount: Int
    let headCount: Int
    let headWidth: Int
    let intermediateSize: Int
    let maximumLength: Int
    let activation: Activation
    let epsilon: Float
    let rotary: RotarySettings
    /// Whether both sub-layers read what the layer is given.
    let isParallel: Bool
    let hasAttentionBias: Bool
    let tiesEmbeddings: Bool
    /// Of the embeddings, and after each sub-layer.
    let hiddenDropout: Float
    let attentionDropout: Float
    let tokenHeadDropout: Float
    let initializerRange: Float
    let paddingToken: Int32?
    let problem: ProblemType?
    let labels: [String]

    init(_ config: JSON, path: String) throws(GraftError) {
        let reader = ConfigurationReader(config, path: path)
        vocabularySize = try reader.size("vocab_size", 50_432)
        hiddenSize = try reader.size("hidden_size", 6144)
        layerCount = try reader.layerCount("num_hidden_layers", 44)
        headCount = try reader.size("num_attention_heads", 64)
        intermediateSize = try reader.size("intermediate_size", 24_576)
        try reader.checkHeads(("hidden_size", hiddenSize), ("num_attention_heads", headCount))
        headWidth = hiddenSize / headCount
        let maximumLength = try reader.size("max_position_embeddings", 2048)
        activation = try reader.activation("hidden_act", "gelu")
        epsilon = try reader.float("layer_norm_eps", 1e-5)
        rotary = try RotarySettings(
            reader, base: 10_000, maximumLength: maximumLength,
            .init(baseKey: "rotary_emb_base", shareKey: "rotary_pct", share: 0.25))
        try rotary.check(headWidth, reader)
        self.maximumLength = min(maximumLength, rotary.longestText ?? maximumLength)
        isParallel = try reader.flag("use_parallel_residual", true)
        hasAttentionBias = try reader.flag("attention_bias", true)
        tiesEmbeddings = try reader.flag("tie_word_embeddings")
        hiddenDropout = try reader.probability("hidden_dropout", 0)
        attentionDropout = try reader.probability("attention_dropout", 0)
        tokenHeadDropout = try reader.probability("classifier_dropout", 0.1)
        initializerRange = try reader.float("initializer_range", 0.02)
        paddingToken = try reader.paddingToken(nil, vocabularySize: vocabularySize).token
        labels = try reader.labels()
        problem = try reader.problem()
        try reader.check([.onlyTrue("is_causal")], layerCount: layerCount)
        try reader.check("head_dim", repeats: .integer(headWidth))
    }
}
