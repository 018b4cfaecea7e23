import GraftFormats
import GraftTensor

/// What config.json says of a BERT model, in the spelling of transformers 4 and 5, which agree here.
struct BertConfiguration {
    let vocabularySize: Int
    let hiddenSize: Int
    let layerCount: Int
    let headCount: Int
    let intermediateSize: Int
    let maximumLength: Int
    let typeCount: Int
    let activation: Activation
    let epsilon: Float
    let hiddenDropout: Float
    let attentionDropout: Float
    let headDropout: Float
    let initializerRange: Float
    let paddingToken: Int?
    let labels: [String]

    init(_ config: JSON, path: String) throws(GraftError) {
        let file = path + "/config.json"
        func size(_ key: String, _ fallback: Int? = nil) throws(GraftError) -> Int {
            let found = try config.optionalInt(key) ?? fallback
            let value = if let found { found } else { try config.int(key) }
            guard value > 0, value <= 1 << 24 else {
                throw GraftError(.corruptFile, "\(file): \"\(key)\" must be 1 to 16777216, found \(value)")
            }
            return value
        }
        func probability(_ key: String, _ fallback: Float) throws(GraftError) -> Float {
            let value = try config.optionalDouble(key) ?? Double(fallback)
            guard value >= 0, value < 1 else {
                throw GraftError(.corruptFile, "\(file): \"\(key)\" must be at least 0 and below 1, found \(value)")
            }
            return Float(value)
        }
        func positive(_ key: String, _ fallback: Double) throws(GraftError) -> Float {
            let value = try config.optionalDouble(key) ?? fallback
            guard value >= 0, value <= 1e6 else {
                throw GraftError(.corruptFile, "\(file): \"\(key)\" must be 0 to 1000000, found \(value)")
            }
            return Float(value)
        }
        vocabularySize = try size("vocab_size")
        hiddenSize = try size("hidden_size")
        layerCount = try size("num_hidden_layers")
        headCount = try size("num_attention_heads")
        intermediateSize = try size("intermediate_size")
        maximumLength = try size("max_position_embeddings", 512)
        typeCount = try size("type_vocab_size", 2)
        guard hiddenSize % headCount == 0, hiddenSize / headCount <= 256 else {
            throw GraftError(
                .unsupported,
                "\(file): hidden_size \(hiddenSize) must be num_attention_heads \(headCount) times a head width of at "
                    + "most 256")
        }
        let name = try config.optionalString("hidden_act") ?? "gelu"
        guard let activation = Activation(name: name) else {
            throw GraftError(
                .unsupported, "\(file): hidden_act \"\(name)\"; expected gelu, gelu_new, relu, silu or tanh")
        }
        self.activation = activation
        epsilon = try positive("layer_norm_eps", 1e-12)
        hiddenDropout = try probability("hidden_dropout_prob", 0.1)
        attentionDropout = try probability("attention_probs_dropout_prob", 0.1)
        headDropout = try probability("classifier_dropout", hiddenDropout)
        initializerRange = try positive("initializer_range", 0.02)
        if let kind = try config.optionalString("position_embedding_type"), kind != "absolute" {
            throw GraftError(.unsupported, "\(file): position_embedding_type \"\(kind)\"; expected \"absolute\"")
        }
        for key in ["is_decoder", "add_cross_attention"] where try config.optionalBool(key) ?? false {
            throw GraftError(.unsupported, "\(file): \(key) is true; only encoders are done")
        }
        paddingToken = try config["pad_token_id"] == nil ? 0 : config.optionalInt("pad_token_id")
        labels = try Self.labels(config)
    }

    /// `id2label` in the order of its numbers; empty where config.json has none.
    private static func labels(_ config: JSON) throws(GraftError) -> [String] {
        guard let names = try config.optionalObject("id2label") else { return [] }
        var labels: [String] = []
        for index in 0..<names.count {
            guard let name = names[String(index)]?.stringValue else { return [] }
            labels.append(name)
        }
        return labels
    }
}
