import GraftFormats
import GraftLayers
import GraftTensor

/// What config.json says of a Llama model.
///
/// Architectures that are Llama's but for a few settings read it with their own `Variant`.
struct LlamaConfiguration {
    let vocabularySize: Int
    let hiddenSize: Int
    let layerCount: Int
    let headCount: Int
    let keyValueHeadCount: Int
    let headWidth: Int
    let intermediateSize: Int
    let maximumLength: Int
    /// From how long texts on tokens turn otherwise.
    let textBorders: [Int]
    let activation: Activation
    let norm: RMSNorm.Settings
    let branchNorms: BranchNorms
    let queryKeyNorms: QueryKeyNorms
    let attentionScale: Float
    /// What scores, and the logits, are bounded by softly; nil where they are not.
    let attentionSoftCap: Float?
    let logitSoftCap: Float?
    let attentionDropout: Float
    /// After each sub-layer.
    private let residualDropout: Float
    /// Whether query, key and value are one module, and gate and up another.
    let joinsProjections: Bool
    let hasQueryKeyValueBias: Bool
    let hasOutputBias: Bool
    let hasFeedForwardBias: Bool
    let tiesEmbeddings: Bool
    /// Whether embeddings are multiplied by the root of their width.
    let scalesEmbeddings: Bool
    let initializerRange: Float
    let paddingToken: Int32?
    /// The row of the table that never learns.
    let paddingRow: Int?
    let problem: ProblemType?
    let tokenHeadDropout: Float
    let labels: [String]
    /// Tokens that a token sees in each layer: itself and those before it; nil for all.
    let windows: [Int?]
    /// How the heads of each layer turn by their positions; nil where they do not.
    let rotary: [RotarySettings?]
    /// Where no file says which tokens end a text.
    let endToken: Int32?

    /// The norms in a layer's branches, by their modules' names; nil where there is none.
    struct BranchNorms {
        var beforeAttention: String? = "input_layernorm"
        var afterAttention: String?
        var beforeFeedForward: String? = "post_attention_layernorm"
        var afterFeedForward: String?
    }

    /// Dropout after a sub-layer, whose number counts those of all layers; its site is behind those
    /// of attention.
    func residualDropout(_ number: Int, unit: Pass.Unit) -> Dropout {
        Dropout(probability: residualDropout, site: layerCount + number, unit: unit)
    }

    /// How queries and keys are normed before they turn.
    enum QueryKeyNorms {
        case none
        /// Each head on its own.
        case ofEachHead
        /// All heads together.
        case ofAllHeads
    }

    /// What a configuration class of transformers has where config.json says nothing, and what it
    /// is for.
    struct Variant {
        enum Biases {
            /// As `attention_bias` and `mlp_bias` say.
            case configured
            /// As `attention_bias` says, and none in the feed-forward.
            case configuredInAttention
            case none
            /// Of queries, keys and values alone.
            case queryKeyValue
        }

        /// nil: as many as there are query heads.
        var keyValueHeadCount: Int?
        /// nil: that of the hidden size.
        var headWidth: Int?
        var maximumLength = 2048
        var biases = Biases.configured
        /// nil where the architecture knows no `sliding_window`.
        var window: SlidingWindow?
        var activation = ConfiguredActivation()
        var queryKeyNorms = QueryKeyNorms.none
        var joinsProjections = false
        /// Of the dropout after each sub-layer; nil where there is none.
        var residualDropoutKey: String?
        var branchNorms = BranchNorms()
        /// Whether norms multiply by 1 + γ.
        var normsAreAroundOne = false
        var normEpsilon = 1e-6
        /// `query_pre_attn_scalar`, which stands for the width of a head in the scale of attention;
        /// nil where the architecture knows none.
        var queryScalar: Int?
        /// nil where the architecture knows none.
        var attentionSoftCap: SoftCap?
        var logitSoftCap: SoftCap?
        var rotaryBase = 10_000.0
        var rotaryPlace = RotaryPlace.all
        var rotaryUsage = RotarySettings.Usage()
        var tiesEmbeddings = false
        var scalesEmbeddings = false
        var paddingToken: Int?
        var endToken: Int32? = 2
        /// Of keys that other architectures do not have.
        var rules: [ConfigurationRule] = []
    }

    struct ConfiguredActivation {
        var key = "hidden_act"
        var usual = "silu"
        /// What "gelu" stands for.
        var gelu = "gelu"
    }

    struct SoftCap {
        let key: String
        /// Where config.json says nothing.
        var usual: Double?

        static func ofAttention(usual: Double) -> SoftCap { SoftCap(key: "attn_logit_softcapping", usual: usual) }
        static func ofLogits(usual: Double?) -> SoftCap { SoftCap(key: "final_logit_softcapping", usual: usual) }

        fileprivate func value(_ reader: ConfigurationReader) throws(GraftError) -> Float? {
            guard let value = try reader.config[key] == nil ? usual : reader.config.optionalDouble(key) else {
                return nil
            }
            guard value > 0, Float(value).isFinite, Float(1 / value).isFinite else {
                throw GraftError(
                    .corruptFile, "\(reader.file): \"\(key)\" must be null or a number above 0, found \(value)")
            }
            return Float(value)
        }
    }

    init(_ config: JSON, path: String, _ variant: Variant) throws(GraftError) {
        let reader = ConfigurationReader(config, path: path)
        vocabularySize = try reader.size("vocab_size")
        hiddenSize = try reader.size("hidden_size")
        layerCount = try reader.layerCount("num_hidden_layers")
        headCount = try reader.size("num_attention_heads")
        keyValueHeadCount = try reader.size("num_key_value_heads", variant.keyValueHeadCount ?? headCount)
        headWidth = try reader.size("head_dim", variant.headWidth ?? max(hiddenSize / headCount, 1))
        intermediateSize = try reader.size("intermediate_size")
        let maximumLength = try reader.size("max_position_embeddings", variant.maximumLength)
        guard headCount % keyValueHeadCount == 0 else {
            throw GraftError(
                .corruptFile,
                "\(reader.file): num_attention_heads \(headCount) must be a multiple of num_key_value_heads "
                    + "\(keyValueHeadCount)")
        }
        guard headWidth % 2 == 0, headWidth <= 256 else {
            throw GraftError(
                .unsupported, "\(reader.file): the head width must be even and at most 256, found \(headWidth)")
        }
        activation = try reader.activation(
            variant.activation.key, variant.activation.usual, gelu: variant.activation.gelu)
        norm = RMSNorm.Settings(
            epsilon: try reader.float("rms_norm_eps", variant.normEpsilon), isAroundOne: variant.normsAreAroundOne)
        branchNorms = variant.branchNorms
        queryKeyNorms = variant.queryKeyNorms
        joinsProjections = variant.joinsProjections
        var scalar = headWidth
        if let usual = variant.queryScalar { scalar = try reader.size("query_pre_attn_scalar", usual) }
        attentionScale = 1 / Float(scalar).squareRoot()
        attentionSoftCap = try variant.attentionSoftCap?.value(reader)
        logitSoftCap = try variant.logitSoftCap?.value(reader)
        attentionDropout = try reader.probability("attention_dropout", 0)
        residualDropout =
            try variant.residualDropoutKey.map { key throws(GraftError) in try reader.probability(key, 0) } ?? 0
        let attentionBias = try reader.flag("attention_bias")
        let feedForwardBias = try reader.flag("mlp_bias")
        switch variant.biases {
        case .configured:
            (hasQueryKeyValueBias, hasOutputBias, hasFeedForwardBias) = (attentionBias, attentionBias, feedForwardBias)
        case .configuredInAttention:
            (hasQueryKeyValueBias, hasOutputBias, hasFeedForwardBias) = (attentionBias, attentionBias, false)
        case .none: (hasQueryKeyValueBias, hasOutputBias, hasFeedForwardBias) = (false, false, false)
        case .queryKeyValue: (hasQueryKeyValueBias, hasOutputBias, hasFeedForwardBias) = (true, false, false)
        }
        endToken = variant.endToken
        tiesEmbeddings = try reader.flag("tie_word_embeddings", variant.tiesEmbeddings)
        scalesEmbeddings = variant.scalesEmbeddings
        initializerRange = try reader.float("initializer_range", 0.02)
        (paddingToken, paddingRow) = try reader.paddingToken(variant.paddingToken, vocabularySize: vocabularySize)
        tokenHeadDropout = try reader.tokenHeadDropout()
        labels = try reader.labels()
        problem = try reader.problem()
        windows = try variant.window?.ofLayers(layerCount, reader) ?? Array(repeating: nil, count: layerCount)
        rotary = try variant.rotaryPlace.ofLayers(
            layerCount, reader, usual: variant.rotaryBase, maximumLength: maximumLength, variant.window,
            variant.rotaryUsage)
        for settings in rotary.lazy.compactMap({ $0 }) { try settings.check(headWidth, reader) }
        textBorders = Set(rotary.compactMap { $0?.scaling.border }).sorted()
        self.maximumLength = min(maximumLength, rotary.compactMap { $0?.longestText }.min() ?? maximumLength)
        try reader.check(
            [.onlyTrue("is_causal")] + (variant.window == nil ? [.only("use_sliding_window", false)] : [])
                + variant.rules,
            layerCount: layerCount,
            reads: Set(
                (variant.window == nil ? [] : ["sliding_window", "layer_types"])
                    + [variant.attentionSoftCap, variant.logitSoftCap].compactMap { $0?.key }))
    }
}
