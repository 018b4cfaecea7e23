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
    /// Width of the tables.
    let embeddingSize: Int
    /// Which of the checkpoint's layers each of the model's is.
    let layers: [Int]
    /// How many of the checkpoint's are one after the other in a group that layers share.
    let groupSize: Int
    let headCount: Int
    let intermediateSize: Int
    /// How heads turn by positions, which have a table where they do not.
    let rotary: RotarySettings?
    /// Rows of the table of positions, and how many tokens these suffice for.
    let positionCount: Int
    let maximumLength: Int
    let numbering: PositionNumbering
    let typeCount: Int
    let activation: Activation
    let epsilon: Float
    let hiddenDropout: Float
    let feedForwardDropout: Float
    /// Whether what adapters do in attention they do to the residual stream.
    let adaptsResidual: Bool
    let attentionDropout: Float
    let headDropout: Float
    let tokenHeadDropout: Float
    let answerHeadDropout: Float
    let initializerRange: Float
    /// The row of the table that never learns.
    let paddingRow: Int?
    let problem: ProblemType?
    let labels: [String]

    var layerCount: Int { layers.count }

    private static let rules: [ConfigurationRule] = [
        .only("position_embedding_type", "absolute"), .only("is_decoder", false), .only("add_cross_attention", false),
    ]

    /// What a configuration class of transformers has where config.json says nothing, and what it
    /// is for.
    struct Variant {
        var keys = Keys()
        var paddingToken = 0
        /// Whether config.json may say another.
        var readsPadding = true
        /// Whether positions are counted from the one after `pad_token_id`.
        var countsPastPadding = false
        /// Whether there are types of tokens.
        var hasTypes = true
        /// Of tables that have another width than the layers; nil where they never have.
        var embeddingSize: Int?
        /// Whether layers share modules, as `num_hidden_groups` and `inner_group_num` say.
        var sharesLayers = false
        var activation = "gelu"
        /// In attention and after it.
        var dropout: Float = 0.1
        /// Whether there is dropout after the feed-forward, too.
        var dropsFeedForward = true
        var adaptsResidual = false
        /// Of the head of rows, where it is not that of the layers.
        var headDropout: Float?
        var epsilon = 1e-12
        var maximumLength = 512
        /// Where heads turn by positions, the base where nothing is said.
        var rotaryBase: Double?
    }

    /// What config.json calls the settings that not all architectures call alike.
    struct Keys {
        var hiddenSize = "hidden_size"
        var layerCount = "num_hidden_layers"
        var headCount = "num_attention_heads"
        var intermediateSize = "intermediate_size"
        var activation = "hidden_act"
        var hiddenDropout = "hidden_dropout_prob"
        var attentionDropout = "attention_probs_dropout_prob"
        var headDropout = "classifier_dropout"
        /// Of the head of tokens.
        var tokenHeadDropout = "classifier_dropout"
        /// Of the head of answers; nil where it has none.
        var answerHeadDropout: String?
        /// nil where it is always 10⁻¹².
        var epsilon: String? = "layer_norm_eps"
    }

    init(_ config: JSON, path: String, _ variant: Variant = Variant()) throws(GraftError) {
        let reader = ConfigurationReader(config, path: path)
        vocabularySize = try reader.size("vocab_size")
        let keys = variant.keys
        hiddenSize = try reader.size(keys.hiddenSize)
        embeddingSize =
            try variant.embeddingSize.map { size throws(GraftError) in
                try reader.size("embedding_size", size)
            } ?? hiddenSize
        let layerCount = try reader.layerCount(keys.layerCount)
        (layers, groupSize) =
            try variant.sharesLayers ? Self.sharedLayers(layerCount, reader) : (Array(0..<layerCount), 1)
        headCount = try reader.size(keys.headCount)
        intermediateSize = try reader.size(keys.intermediateSize)
        let positionCount = try reader.size("max_position_embeddings", variant.maximumLength)
        self.positionCount = positionCount
        typeCount = try variant.hasTypes ? reader.size("type_vocab_size", 2) : 0
        try reader.checkHeads(
            (keys.hiddenSize, hiddenSize), (keys.headCount, headCount), even: variant.rotaryBase != nil)
        rotary = try variant.rotaryBase.map { base throws(GraftError) in
            try RotarySettings(reader, base: base, maximumLength: positionCount)
        }
        try rotary?.check(hiddenSize / headCount, reader)
        activation = try reader.activation(keys.activation, variant.activation)
        epsilon = try keys.epsilon.map { key throws(GraftError) in try reader.float(key, variant.epsilon) } ?? 1e-12
        hiddenDropout = try reader.probability(keys.hiddenDropout, variant.dropout)
        adaptsResidual = variant.adaptsResidual
        feedForwardDropout = variant.dropsFeedForward ? hiddenDropout : 0
        attentionDropout = try reader.probability(keys.attentionDropout, variant.dropout)
        headDropout = try reader.probability(keys.headDropout, variant.headDropout ?? hiddenDropout)
        tokenHeadDropout = try reader.probability(keys.tokenHeadDropout, hiddenDropout)
        answerHeadDropout =
            try keys.answerHeadDropout.map { key throws(GraftError) in try reader.probability(key, 0.1) } ?? 0
        initializerRange = try reader.float("initializer_range", 0.02)
        let padding = try reader.paddingToken(
            variant.paddingToken, reads: variant.readsPadding, vocabularySize: vocabularySize)
        paddingRow = padding.frozenRow
        numbering = try variant.countsPastPadding ? Self.pastPadding(padding.token, positionCount, reader) : .places
        maximumLength = min(positionCount - numbering.firstRow, rotary?.longestText ?? positionCount)
        labels = try reader.labels()
        problem = try reader.problem()
        try reader.check(Self.rules, layerCount: layerCount)
        try reader.check("head_dim", repeats: .integer(hiddenSize / headCount))
        try reader.check("num_key_value_heads", repeats: .integer(headCount))
    }

    /// Each layer has all layers of its group, one after the other; groups divide the layers.
    private static func sharedLayers(
        _ layerCount: Int, _ reader: ConfigurationReader
    ) throws(GraftError) -> (layers: [Int], groupSize: Int) {
        let groups = try reader.size("num_hidden_groups", 1)
        let inner = try reader.size("inner_group_num", 1)
        guard groups <= layerCount, layerCount * inner <= 1 << 16 else {
            throw GraftError(
                .unsupported,
                "\(reader.file): num_hidden_groups \(groups) and inner_group_num \(inner) with \(layerCount) layers; "
                    + "expected at most as many groups as layers, and 65536 layers in all")
        }
        let layers = (0..<layerCount).flatMap { layer in
            // In floating point, as transformers.
            let group = Int(Double(layer) / (Double(layerCount) / Double(groups)))
            return (0..<inner).map { group * inner + $0 }
        }
        return (layers, inner)
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
