import GraftFormats
import GraftLayers
import GraftTensor

/// What config.json says of a DeBERTa model beside what it says of all of BERT's formula.
struct DebertaV2Configuration {
    let bert: BertConfiguration
    let hasPositions: Bool
    /// Which parts scores have for distances.
    let readsKeys: Bool
    let readsQueries: Bool
    /// Whether the projections of content project distances, too.
    let sharesProjections: Bool
    /// The table of distances has twice as many rows.
    let span: Int
    /// nil where each distance has a row of its own.
    let bucketCount: Int?
    let maximumPosition: Int
    let normsTable: Bool
    let poolerActivation: Activation
    /// Beside the first layer; nil where there is none.
    let convolution: (reach: Int, activation: Activation)?
    /// Whether the head for masked words is not BERT's.
    let hasNewerHead: Bool

    private static let rules: [ConfigurationRule] = [
        .only("pooler_dropout", 0)
    ]

    init(_ config: JSON, path: String) throws(GraftError) {
        let reader = ConfigurationReader(config, path: path)
        let types = try config.optionalInt("type_vocab_size") ?? 0
        bert = try BertConfiguration(
            config, path: path,
            .init(
                keys: .init(headDropout: "cls_dropout", tokenHeadDropout: "hidden_dropout_prob"), hasTypes: types != 0,
                epsilon: 1e-7))
        hasPositions = try reader.flag("position_biased_input", true)
        guard try reader.flag("relative_attention") else {
            throw GraftError(
                .unsupported,
                "\(reader.file): \"relative_attention\" is \((config["relative_attention"] ?? .bool(false)).briefText); this "
                    + "build does true")
        }
        let parts = try Self.parts(reader)
        (readsKeys, readsQueries) = (parts.contains("c2p"), parts.contains("p2c"))
        sharesProjections = try reader.flag("share_att_key")
        let given = try config.optionalInt("max_relative_positions") ?? -1
        maximumPosition = given < 1 ? bert.positionCount : try reader.size("max_relative_positions")
        let buckets = try config.optionalInt("position_buckets") ?? -1
        bucketCount = buckets < 1 ? nil : try reader.size("position_buckets", atMost: 1 << 20)
        span = bucketCount ?? maximumPosition
        if let bucketCount, bucketCount < 4 || bucketCount / 2 >= maximumPosition - 1 {
            throw GraftError(
                .unsupported,
                "\(reader.file): \"position_buckets\" is \(bucketCount); expected at least 4, and less than twice "
                    + "max_relative_positions \(maximumPosition)")
        }
        let norms = try config.optionalString("norm_rel_ebd") ?? "none"
        normsTable = norms.lowercased().split(separator: "|").contains { $0.trimmed == "layer_norm" }
        poolerActivation = try reader.activation("pooler_hidden_act", "gelu", repeated: nil)
        convolution = try Self.convolution(reader)
        hasNewerHead = try !reader.flag("legacy", true)
        for rule in Self.rules { try rule.check(config, file: reader.file) }
        for key in ["embedding_size", "pooler_hidden_size"] {
            try reader.check(key, repeats: .integer(bert.hiddenSize))
        }
        try reader.check("attention_head_size", repeats: .integer(bert.hiddenSize / bert.headCount))
    }

    /// `conv_kernel_size` 0: there is none.
    private static func convolution(
        _ reader: ConfigurationReader
    ) throws(GraftError) -> (reach: Int, activation: Activation)? {
        let key = "conv_kernel_size"
        guard let size = try reader.config.optionalInt(key), size > 0 else { return nil }
        guard size % 2 == 1, size < 64 else {
            throw GraftError(
                .unsupported, "\(reader.file): \"\(key)\" is \(size); expected 0, or an odd number below 64")
        }
        try ConfigurationRule.only("conv_groups", 1).check(reader.config, file: reader.file)
        return (size / 2, try reader.activation("conv_act", "tanh", repeated: nil))
    }

    /// `pos_att_type`: a list, or names with bars between them.
    private static func parts(_ reader: ConfigurationReader) throws(GraftError) -> [String] {
        let key = "pos_att_type"
        if let text = reader.config[key]?.stringValue {
            return text.lowercased().split(separator: "|").map { $0.trimmed }
        }
        return try reader.config.optionalStrings(key) ?? []
    }
}

extension Substring {
    /// Without spaces at either end.
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
