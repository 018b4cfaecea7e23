import GraftFormats
import GraftLayers
import GraftTensor

/// What config.json says of an encoder–decoder whose modules are named as BART's.
struct BartConfiguration {
    /// What tells the architectures of this family from one another.
    struct Form {
        /// The rows of a learned table that positions have; nil where they are sin and cos of the
        /// places, which no checkpoint needs to have.
        let numbering: PositionNumbering?
        /// Whether norms stand before each sub-layer, and one after each stack.
        var normsBefore = false
        /// Whether a norm follows the embeddings.
        var normsEmbeddings = true
        let vocabularySize: Int
        let paddingToken: Int
        let endToken: Int32
        /// nil where a target has the token that goes before it at its end.
        let startToken: Int?
        /// Labels of a head of rows where config.json is silent; nil where no class has such a
        /// head.
        var labelCount: Int?
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
    let headDropout: Float
    let labels: [String]
    let problem: ProblemType?

    init(_ config: JSON, path: String, _ form: Form) throws(GraftError) {
        let reader = ConfigurationReader(config, path: path)
        self.form = form
        vocabularySize = try reader.size("vocab_size", form.vocabularySize)
        hiddenSize = try reader.size("d_model", 1024)
        let width = hiddenSize
        func stack(_ name: String) throws(GraftError) -> Stack {
            let headCount = try reader.size(name + "_attention_heads", 16)
            try reader.checkHeads(("d_model", width), (name + "_attention_heads", headCount))
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
            usual: form.startToken, padding: padding.token, end: form.labelCount == nil ? nil : form.endToken,
            vocabularySize: vocabularySize)
        headDropout = try reader.probability("classifier_dropout", 0)
        labels = try reader.labels(usual: form.labelCount ?? 2)
        problem = try reader.problem()
        try reader.check(
            [
                .onlyTrue("is_encoder_decoder"), .only("encoder_layerdrop", 0), .only("decoder_layerdrop", 0),
                .onlyTrue("share_encoder_decoder_embeddings"), .only("decoder_vocab_size", .integer(vocabularySize)),
            ], layerCount: encoder.layerCount, reads: ["is_encoder_decoder"])
    }
}
