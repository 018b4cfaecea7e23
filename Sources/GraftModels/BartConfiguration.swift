import GraftFormats
import GraftLayers
import GraftTensor

/// What config.json says of an encoder–decoder whose modules are named as BART's.
struct BartConfiguration {
    /// What tells the architectures of this family from one another.
    struct Form {
        enum Positions {
            /// sin and cos of the places, which no checkpoint needs to have.
            case sinusoidal
            /// A table that has so many rows before that of the first place.
            case learned(firstRow: Int)
        }

        let positions: Positions
        /// Whether norms stand before each sub-layer, and one after each stack.
        var normsBefore = false
        /// Whether a norm follows the embeddings.
        var normsEmbeddings = true
        let vocabularySize: Int
        let paddingToken: Int
        let endToken: Int32
        /// nil where a target has the token that goes before it at its end.
        let startToken: Int?
    }

    struct Stack {
        let layerCount: Int
        let headCount: Int
        let innerSize: Int
    }

    let form: Form
    let vocabularySize: Int
    let hiddenSize: Int
    let encoder: Stack
    let decoder: Stack
    let maximumLength: Int
    let activation: Activation
    let dropout: Float
    let attentionDropout: Float
    let activationDropout: Float
    let initializerRange: Float
    let wordScale: Float
    let tiesEmbeddings: Bool
    let paddingRow: Int?
    let decoderTokens: DecoderTokens

    init(_ config: JSON, path: String, _ form: Form) throws(GraftError) {
        let reader = ConfigurationReader(config, path: path)
        self.form = form
        vocabularySize = try reader.size("vocab_size", form.vocabularySize)
        hiddenSize = try reader.size("d_model", 1024)
        let width = hiddenSize
        func stack(_ name: String) throws(GraftError) -> Stack {
            let headCount = try reader.size(name + "_attention_heads", 16)
            guard width % headCount == 0, width / headCount <= 256 else {
                throw GraftError(
                    .unsupported,
                    "\(reader.file): d_model \(width) must be \(name)_attention_heads \(headCount) times a head width of at "
                        + "most 256")
            }
            return Stack(
                layerCount: try reader.layerCount(name + "_layers", 12), headCount: headCount,
                innerSize: try reader.size(name + "_ffn_dim", 4096))
        }
        encoder = try stack("encoder")
        decoder = try stack("decoder")
        maximumLength = try reader.size("max_position_embeddings", 1024)
        activation = try reader.activation("activation_function", "gelu")
        dropout = try reader.probability("dropout", 0.1)
        attentionDropout = try reader.probability("attention_dropout", 0)
        activationDropout = try reader.probability("activation_dropout", 0)
        initializerRange = try reader.float("init_std", 0.02)
        wordScale = try reader.flag("scale_embedding") ? Float(hiddenSize).squareRoot() : 1
        tiesEmbeddings = try reader.flag("tie_word_embeddings", true)
        let padding = try reader.paddingToken(form.paddingToken, vocabularySize: vocabularySize)
        paddingRow = padding.frozenRow
        decoderTokens = try reader.decoderTokens(
            usual: form.startToken, padding: padding.token, vocabularySize: vocabularySize)
        try reader.check(
            [
                .onlyTrue("is_encoder_decoder"), .only("encoder_layerdrop", 0), .only("decoder_layerdrop", 0),
                .onlyTrue("share_encoder_decoder_embeddings"), .only("decoder_vocab_size", .integer(vocabularySize)),
            ], layerCount: encoder.layerCount, reads: ["is_encoder_decoder"])
    }
}

extension ConfigurationReader {
    /// What a decoder's rows begin with. generation_config.json does not say: a model learns as
    /// config.json has it.
    func decoderTokens(
        usual: Int?, padding: Int32?, vocabularySize: Int
    ) throws(GraftError) -> DecoderTokens {
        let key = "decoder_start_token_id"
        guard let usual else { return DecoderTokens(start: nil, padding: padding ?? 0) }
        let start = try config.optionalInt(key) ?? usual
        guard start >= 0, start < vocabularySize else {
            throw GraftError(
                .incompatible, "\(file): \"\(key)\" is \(start); the vocabulary has \(vocabularySize) tokens")
        }
        return DecoderTokens(start: Int32(start), padding: padding ?? Int32(start))
    }
}
