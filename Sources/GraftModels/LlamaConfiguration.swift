import GraftFormats
import GraftLayers
import GraftTensor

/// What config.json says of a Llama model: transformers 5 puts all of rotary positions into
/// `rope_parameters`, transformers 4 writes `rope_theta` and `rope_scaling`. Where a file has both,
/// it means what transformers 5 makes of it.
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
    let activation: Activation
    let epsilon: Float
    let attentionDropout: Float
    let hasQueryKeyValueBias: Bool
    let hasOutputBias: Bool
    let hasFeedForwardBias: Bool
    let tiesEmbeddings: Bool
    let initializerRange: Float
    let rotaryBase: Double
    let rotaryScaling: Rotary.Scaling
    let paddingToken: Int32?
    /// The row of the table that never learns.
    let paddingRow: Int?
    let problem: ProblemType?
    let tokenHeadDropout: Float
    let labels: [String]
    /// Tokens that a token sees in each layer: itself and those before it; nil for all.
    let windows: [Int?]
    /// Whether the heads of each layer turn by their positions.
    let turns: [Bool]
    /// Whether each head's query and key are normed.
    let hasHeadNorms: Bool
    /// Where no file says which tokens end a text.
    let endToken: Int32?

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
        var hasHeadNorms = false
        var rotaryBase = 10_000.0
        /// Whether `no_rope_layers` may name layers whose heads do not turn.
        var skipsRotary = false
        var tiesEmbeddings = false
        var paddingToken: Int?
        var endToken: Int32? = 2
    }

    init(_ config: JSON, path: String, _ variant: Variant = Variant()) throws(GraftError) {
        let reader = ConfigurationReader(config, path: path)
        vocabularySize = try reader.size("vocab_size")
        hiddenSize = try reader.size("hidden_size")
        layerCount = try reader.size("num_hidden_layers")
        headCount = try reader.size("num_attention_heads")
        keyValueHeadCount = try reader.size("num_key_value_heads", variant.keyValueHeadCount ?? headCount)
        headWidth = try reader.size("head_dim", variant.headWidth ?? max(hiddenSize / headCount, 1))
        intermediateSize = try reader.size("intermediate_size")
        maximumLength = try reader.size("max_position_embeddings", variant.maximumLength)
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
        activation = try reader.activation("hidden_act", "silu")
        epsilon = try reader.float("rms_norm_eps", 1e-6)
        attentionDropout = try reader.probability("attention_dropout", 0)
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
        hasHeadNorms = variant.hasHeadNorms
        endToken = variant.endToken
        tiesEmbeddings = try reader.flag("tie_word_embeddings", variant.tiesEmbeddings)
        initializerRange = try reader.float("initializer_range", 0.02)
        (rotaryBase, rotaryScaling) = try Self.rotary(reader, variant, maximumLength: maximumLength)
        turns = try variant.skipsRotary ? Self.turns(reader, layerCount) : Array(repeating: true, count: layerCount)
        (paddingToken, paddingRow) = try reader.paddingToken(variant.paddingToken, vocabularySize: vocabularySize)
        tokenHeadDropout = try reader.tokenHeadDropout()
        labels = try reader.labels()
        problem = try reader.problem()
        windows = try variant.window?.ofLayers(layerCount, reader) ?? Array(repeating: nil, count: layerCount)
        try reader.check(
            [.onlyTrue("is_causal")] + (variant.window == nil ? [.only("use_sliding_window", false)] : []),
            layerCount: layerCount,
            reads: variant.window == nil ? [] : ["sliding_window", "layer_types"])
    }

    /// `no_rope_layers` has 1 for a layer that turns, in spite of its name, and where it is missing
    /// each `no_rope_layer_interval`-th does not.
    private static func turns(_ reader: ConfigurationReader, _ count: Int) throws(GraftError) -> [Bool] {
        let interval = try reader.size("no_rope_layer_interval", 4)
        guard let given = reader.config["no_rope_layers"], !given.isNull else {
            return (1...count).map { $0 % interval != 0 }
        }
        let values = (given.arrayValue ?? []).compactMap(\.intValue)
        guard values.count == count, values.allSatisfy((0...1).contains) else {
            throw reader.config.unexpected("no_rope_layers", expected: "0 or 1 for each of \(count) layers")
        }
        return values.map { $0 == 1 }
    }

    private static func rotary(
        _ reader: ConfigurationReader, _ variant: Variant, maximumLength: Int
    ) throws(GraftError) -> (base: Double, Rotary.Scaling) {
        let newer = try reader.config.optionalObject("rope_parameters")
        let older = try reader.config.optionalObject("rope_scaling")
        // The older name wins, but where it has nothing in it.
        let isOlder = older.map { !$0.isEmpty } ?? (newer == nil)
        let settings = (isOlder ? older : newer) ?? JSONObject()
        let name = isOlder ? "rope_scaling" : "rope_parameters"
        for (key, value) in settings where value.objectValue != nil {
            throw GraftError(
                .unsupported,
                "\(reader.file): \(name) has settings of its own for \"\(key)\"; expected one for all layers")
        }
        func setting(_ key: String, _ fallback: Double) throws(GraftError) -> Double {
            let outside = try reader.config.optionalDouble(key)
            return try settings.optionalDouble(key) ?? outside ?? fallback
        }
        let base = try setting("rope_theta", variant.rotaryBase)
        func positive(_ key: String, instead: Double? = nil) throws(GraftError) -> Float {
            let value = if let instead { instead } else { try settings.double(key) }
            guard Float(value) > 0, Float(value).isFinite else {
                throw GraftError(
                    .corruptFile,
                    "\(reader.file): \(name).\(key) must be a number above 0 that 32 bits hold, found \(value)")
            }
            return Float(value)
        }
        // The one beside these settings goes before the one among them.
        func originalLength() throws(GraftError) -> Float {
            let key = "original_max_position_embeddings"
            let outside = try reader.config.optionalDouble(key)
            let inside = try settings.optionalDouble(key)
            return try positive(key, instead: outside ?? inside ?? Double(maximumLength))
        }
        guard base > 1 else {
            throw GraftError(.corruptFile, "\(reader.file): rope_theta must be above 1, found \(base)")
        }
        let part = try setting("partial_rotary_factor", 1)
        guard part == 1 else {
            throw GraftError(.unsupported, "\(reader.file): partial_rotary_factor is \(part); expected 1")
        }
        let oldType = try settings.optionalString("type")
        let type = try settings.optionalString("rope_type") ?? oldType ?? "default"
        switch type {
        case "default": return (base, .none)
        case "linear": return (base, .linear(factor: try positive("factor")))
        case "llama3":
            let low = try positive("low_freq_factor")
            let high = try positive("high_freq_factor")
            guard high > low else {
                throw GraftError(
                    .corruptFile,
                    "\(reader.file): \(name).high_freq_factor \(high) must be above low_freq_factor \(low)")
            }
            return (
                base,
                .llama3(
                    factor: try positive("factor"), lowFrequencyFactor: low, highFrequencyFactor: high,
                    originalLength: try originalLength())
            )
        default:
            throw GraftError(
                .unsupported,
                "\(reader.file): \(name) has rope_type \"\(type)\"; expected default, linear or llama3")
        }
    }
}
