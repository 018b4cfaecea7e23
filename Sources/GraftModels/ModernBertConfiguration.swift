import GraftFormats
import GraftLayers
import GraftTensor

/// What config.json says of a ModernBERT model: transformers 5 writes `layer_types` and
/// `rope_parameters`, transformers 4 `global_attn_every_n_layers` and two bases.
struct ModernBertConfiguration {
    let vocabularySize: Int
    let hiddenSize: Int
    let layerCount: Int
    let headCount: Int
    let intermediateSize: Int
    let maximumLength: Int
    let activation: Activation
    let epsilon: Float
    let hasNormBias: Bool
    let hasAttentionBias: Bool
    let hasFeedForwardBias: Bool
    let embeddingDropout: Float
    let attentionDropout: Float
    let headDropout: Float
    let headActivation: Activation
    let hasHeadBias: Bool
    let headPooling: Pooling
    /// Whether the logits of masked words have one.
    let hasDecoderBias: Bool
    let initializerRange: Float
    /// The row of the table that never learns.
    let paddingRow: Int?
    /// Which layers are local: in these a token sees those less than `window` places away.
    let isLocal: [Bool]
    let window: Int
    let globalBase: Double
    let localBase: Double
    let problem: ProblemType?
    let labels: [String]

    init(_ config: JSON, path: String) throws(GraftError) {
        let reader = ConfigurationReader(config, path: path)
        vocabularySize = try reader.size("vocab_size")
        hiddenSize = try reader.size("hidden_size")
        layerCount = try reader.layerCount("num_hidden_layers")
        headCount = try reader.size("num_attention_heads")
        intermediateSize = try reader.size("intermediate_size")
        maximumLength = try reader.size("max_position_embeddings", 8192)
        try reader.checkHeads(("hidden_size", hiddenSize), ("num_attention_heads", headCount), even: true)
        activation = try reader.activation("hidden_activation", "gelu")
        epsilon = try reader.float("norm_eps", 1e-5)
        hasNormBias = try reader.flag("norm_bias")
        hasAttentionBias = try reader.flag("attention_bias")
        hasFeedForwardBias = try reader.flag("mlp_bias")
        embeddingDropout = try reader.probability("embedding_dropout", 0)
        attentionDropout = try reader.probability("attention_dropout", 0)
        headDropout = try reader.probability("classifier_dropout", 0)
        headActivation = try reader.activation("classifier_activation", "gelu", repeated: nil)
        hasHeadBias = try reader.flag("classifier_bias")
        headPooling = try Self.pooling(reader)
        hasDecoderBias = try reader.flag("decoder_bias", true)
        initializerRange = try reader.float("initializer_range", 0.02)
        paddingRow = try reader.paddingToken(50283, vocabularySize: vocabularySize).frozenRow
        isLocal = try Self.localLayers(layerCount, reader)
        // As many to either side as half of it.
        window = try reader.size("local_attention", 128) / 2 + 1
        let rotary = try Self.rotary(reader)
        globalBase = try Self.base(SlidingWindow.full, rotary, "global_rope_theta", 160_000, reader)
        localBase = try Self.base(SlidingWindow.sliding, rotary, "local_rope_theta", 10_000, reader)
        labels = try reader.labels()
        problem = try reader.problem()
        try reader.check("head_dim", repeats: .integer(hiddenSize / headCount))
        try reader.check(
            [.only("mlp_dropout", 0), .only("rope_scaling")], layerCount: layerCount, reads: ["layer_types"])
    }

    private static func pooling(_ reader: ConfigurationReader) throws(GraftError) -> Pooling {
        switch try reader.config.optionalString("classifier_pooling") ?? "cls" {
        case "cls": return .first
        case "mean": return .mean
        case let name:
            throw GraftError(
                .unsupported, "\(reader.file): classifier_pooling \"\(name)\"; expected \"cls\" or \"mean\"")
        }
    }

    private static func localLayers(_ count: Int, _ reader: ConfigurationReader) throws(GraftError) -> [Bool] {
        if let types = try SlidingWindow.types(count, reader) { return types }
        let interval = try reader.size("global_attn_every_n_layers", 3)
        return (0..<count).map { $0 % interval != 0 }
    }

    /// `rope_parameters`, which has settings for each kind of layers or none.
    private static func rotary(_ reader: ConfigurationReader) throws(GraftError) -> JSONObject {
        let (full, sliding) = (SlidingWindow.full, SlidingWindow.sliding)
        let kinds = try reader.config.optionalObject("rope_parameters") ?? JSONObject()
        if let key = kinds.keys.first(where: { $0 != full && $0 != sliding }) {
            throw GraftError(
                .unsupported,
                "\(reader.file): rope_parameters has \"\(key)\"; expected \"\(full)\" and \"\(sliding)\" alone")
        }
        return kinds
    }

    /// Of a kind of layers.
    private static func base(
        _ kind: String, _ kinds: JSONObject, _ older: String, _ usual: Double, _ reader: ConfigurationReader
    ) throws(GraftError) -> Double {
        let settings = try kinds.optionalObject(kind) ?? JSONObject()
        let type = try settings.optionalString("rope_type") ?? "default"
        guard type == "default" else {
            throw GraftError(
                .unsupported, "\(reader.file): rope_parameters has rope_type \"\(type)\"; expected \"default\"")
        }
        let outside = try reader.config.optionalDouble(older)
        let base = try settings.optionalDouble("rope_theta") ?? outside ?? usual
        guard base > 1 else {
            throw GraftError(.corruptFile, "\(reader.file): rope_theta of \(kind) must be above 1, found \(base)")
        }
        return base
    }
}
