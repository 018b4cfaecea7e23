import GraftFormats
import GraftLayers
import GraftTensor

/// What config.json says of a T5 model.
struct T5Configuration {
    /// What tells T5 and mT5 from one another where config.json is silent.
    struct Usual {
        let vocabularySize: Int
        let innerSize: Int
        let layerCount: Int
        let headCount: Int
        let feedForward: String
        /// Whether the head reads states scaled by 1 / √width unless the file says otherwise.
        let scalesHead: Bool
    }

    let vocabularySize: Int
    let hiddenSize: Int
    let headWidth: Int
    let innerSize: Int
    let encoderLayerCount: Int
    let decoderLayerCount: Int
    /// Whether the checkpoint is of a class that has no decoder.
    let isEncoder: Bool
    let headCount: Int
    let bucketCount: Int
    let maximumDistance: Int
    let dropout: Float
    let epsilon: Float
    let activation: Activation
    let isGated: Bool
    let scalesHead: Bool
    let initializerRange: Float
    let decoderTokens: DecoderTokens
    let headDropout: Float
    let labels: [String]
    let problem: ProblemType?

    /// Positions are distances, so nothing bounds a row but memory.
    static let maximumLength = 1 << 20

    init(_ config: JSON, path: String, _ usual: Usual) throws(GraftError) {
        let reader = ConfigurationReader(config, path: path)
        vocabularySize = try reader.size("vocab_size", usual.vocabularySize)
        hiddenSize = try reader.size("d_model", 512)
        headWidth = try reader.size("d_kv", 64)
        innerSize = try reader.size("d_ff", usual.innerSize)
        encoderLayerCount = try reader.layerCount("num_layers", usual.layerCount)
        decoderLayerCount = try reader.layerCount("num_decoder_layers", encoderLayerCount)
        headCount = try reader.size("num_heads", usual.headCount)
        guard headWidth <= 256 else {
            throw GraftError(.unsupported, "\(reader.file): d_kv is \(headWidth); a head is at most 256 wide")
        }
        bucketCount = try reader.size("relative_attention_num_buckets", 32)
        maximumDistance = try reader.size("relative_attention_max_distance", 128)
        guard bucketCount >= 4, bucketCount % 2 == 0, maximumDistance > bucketCount / 2 else {
            throw GraftError(
                .unsupported,
                "\(reader.file): relative_attention_num_buckets is \(bucketCount) and relative_attention_max_distance "
                    + "\(maximumDistance); expected an even number from 4, and more than half of it")
        }
        dropout = try reader.probability("dropout_rate", 0.1)
        epsilon = try reader.float("layer_norm_epsilon", 1e-6)
        let feedForward = try config.optionalString("feed_forward_proj") ?? usual.feedForward
        isGated = feedForward.hasPrefix("gated-")
        let plain = isGated ? String(feedForward.dropFirst(6)) : feedForward
        let function = feedForward == "gated-gelu" ? "gelu_new" : plain
        guard let activation = Activation(name: function) else {
            throw GraftError(
                .unsupported,
                "\(reader.file): feed_forward_proj \"\(feedForward)\"; expected one of "
                    + Activation.names.joined(separator: ", ") + ", behind \"gated-\" or not")
        }
        self.activation = activation
        try reader.check("dense_act_fn", repeats: .string(function))
        try reader.check("is_gated_act", repeats: .bool(isGated))
        // Files of T5 1.1 say that tables are not tied, and mean this.
        let ties = try config.optionalBool("tie_word_embeddings") ?? true
        let scales = try reader.flag("scale_decoder_outputs", ties)
        scalesHead = usual.scalesHead && scales
        initializerRange = try reader.float("initializer_factor", 1)
        let padding = try reader.paddingToken(0, vocabularySize: vocabularySize)
        decoderTokens = try reader.decoderTokens(
            usual: 0, padding: padding.token, end: 1, vocabularySize: vocabularySize)
        headDropout = try reader.probability("classifier_dropout", 0)
        labels = try reader.labels()
        problem = try reader.problem()
        let name = try config.optionalStrings("architectures")?.first ?? ""
        isEncoder = ["EncoderModel", HeadClass.tokens.rawValue].contains(where: name.hasSuffix)
        try reader.check(
            isEncoder ? [] : [.onlyTrue("is_encoder_decoder")], layerCount: encoderLayerCount,
            reads: ["is_encoder_decoder"])
    }

    var shape: ModelShape {
        ModelShape(
            layerCount: isEncoder ? encoderLayerCount : decoderLayerCount,
            encoderLayerCount: isEncoder ? 0 : encoderLayerCount, hiddenSize: hiddenSize,
            vocabularySize: vocabularySize, typeCount: 0, maximumLength: Self.maximumLength, headCount: headCount,
            keyWidth: headCount * headWidth, keyHeadCount: headCount)
    }
}
