import GraftFormats
import GraftLayers
import GraftTensor

/// What config.json says of a BERT model, in the spelling of transformers 4 and 5, which agree
/// here.
///
/// Architectures that are BERT's but for a few settings read it with their own `Variant`.
struct BertConfiguration {
    let vocabularySize: Int
    let hiddenSize: Int
    let layerCount: Int
    let headCount: Int
    let intermediateSize: Int
    /// Rows of the table of positions, and how many tokens these suffice for.
    let positionCount: Int
    let maximumLength: Int
    let numbering: PositionNumbering
    let typeCount: Int
    let activation: Activation
    let epsilon: Float
    let hiddenDropout: Float
    let attentionDropout: Float
    let headDropout: Float
    let initializerRange: Float
    /// The row of the table that never learns.
    let paddingRow: Int?
    let problem: ProblemType?
    let labels: [String]

    private static let rules: [ConfigurationRule] = [
        .only("position_embedding_type", "absolute"), .only("is_decoder", false), .only("add_cross_attention", false),
    ]

    /// What a configuration class of transformers has where config.json says nothing, and what it
    /// is for.
    struct Variant {
        var paddingToken = 0
        /// Whether positions are counted from the one after `pad_token_id`.
        var countsPastPadding = false
    }

    init(_ config: JSON, path: String, _ variant: Variant = Variant()) throws(GraftError) {
        let reader = ConfigurationReader(config, path: path)
        vocabularySize = try reader.size("vocab_size")
        hiddenSize = try reader.size("hidden_size")
        layerCount = try reader.size("num_hidden_layers")
        headCount = try reader.size("num_attention_heads")
        intermediateSize = try reader.size("intermediate_size")
        positionCount = try reader.size("max_position_embeddings", 512)
        typeCount = try reader.size("type_vocab_size", 2)
        guard hiddenSize % headCount == 0, hiddenSize / headCount <= 256 else {
            throw GraftError(
                .unsupported,
                "\(reader.file): hidden_size \(hiddenSize) must be num_attention_heads \(headCount) times a head width "
                    + "of at most 256")
        }
        activation = try reader.activation("hidden_act", "gelu")
        epsilon = try reader.float("layer_norm_eps", 1e-12)
        hiddenDropout = try reader.probability("hidden_dropout_prob", 0.1)
        attentionDropout = try reader.probability("attention_probs_dropout_prob", 0.1)
        headDropout = try reader.probability("classifier_dropout", hiddenDropout)
        initializerRange = try reader.float("initializer_range", 0.02)
        let padding = try reader.paddingToken(variant.paddingToken, vocabularySize: vocabularySize)
        paddingRow = padding.frozenRow
        numbering = try variant.countsPastPadding ? Self.pastPadding(padding.token, positionCount, reader) : .places
        maximumLength = positionCount - numbering.firstRow
        labels = try reader.labels()
        problem = try reader.problem()
        try reader.check(Self.rules, layerCount: layerCount)
        try reader.check("head_dim", repeats: .integer(hiddenSize / headCount))
        try reader.check("num_key_value_heads", repeats: .integer(headCount))
    }

    private static func pastPadding(
        _ token: Int32?, _ positionCount: Int, _ reader: ConfigurationReader
    ) throws(GraftError) -> PositionNumbering {
        guard let token, Int(token) < positionCount - 1 else {
            let found = (reader.config["pad_token_id"] ?? .null).briefText
            throw GraftError(
                .unsupported,
                "\(reader.file): \"pad_token_id\" is \(found); by max_position_embeddings \(positionCount) it must be 0 to "
                    + "\(positionCount - 2), since positions are counted from the one after it")
        }
        return .pastPadding(token)
    }
}
