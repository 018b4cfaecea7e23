import GraftFormats
import GraftLayers
import GraftTensor

/// What config.json says of a GPT-2 model.
struct GPT2Configuration {
    let vocabularySize: Int
    let hiddenSize: Int
    let layerCount: Int
    let headCount: Int
    let intermediateSize: Int
    let maximumLength: Int
    let activation: Activation
    let epsilon: Float
    let embeddingDropout: Float
    let attentionDropout: Float
    let residualDropout: Float
    let initializerRange: Float
    let tiesEmbeddings: Bool
    let paddingToken: Int32?
    let problem: ProblemType?
    let tokenHeadDropout: Float
    let labels: [String]

    init(_ config: JSON, path: String) throws(GraftError) {
        let reader = ConfigurationReader(config, path: path)
        vocabularySize = try reader.size("vocab_size", 50257)
        hiddenSize = try reader.size("n_embd", 768)
        layerCount = try reader.layerCount("n_layer", 12)
        headCount = try reader.size("n_head", 12)
        intermediateSize = try reader.size("n_inner", 4 * hiddenSize)
        maximumLength = try reader.size("n_positions", 1024)
        try reader.checkHeads(("n_embd", hiddenSize), ("n_head", headCount))
        activation = try reader.activation("activation_function", "gelu_new")
        epsilon = try reader.float("layer_norm_epsilon", 1e-5)
        embeddingDropout = try reader.probability("embd_pdrop", 0.1)
        attentionDropout = try reader.probability("attn_pdrop", 0.1)
        residualDropout = try reader.probability("resid_pdrop", 0.1)
        initializerRange = try reader.float("initializer_range", 0.02)
        tiesEmbeddings = try config.optionalBool("tie_word_embeddings") ?? true
        paddingToken = try reader.paddingToken(nil, vocabularySize: vocabularySize).token
        tokenHeadDropout = try reader.tokenHeadDropout()
        labels = try reader.labels()
        problem = try reader.problem()
        try reader.check(
            [
                .onlyTrue("is_causal"), .onlyTrue("scale_attn_weights"),
                .only("scale_attn_by_inverse_layer_idx", false), .only("add_cross_attention", false),
            ], layerCount: layerCount)
    }
}
