import GraftFormats
import GraftLayers
import GraftTensor

/// MPNet (Song et al. 2020): RoBERTa without types of tokens, whose attention adds a bias by
/// distance to all scores; one table of buckets, as T5's, for all layers.
///
/// PEFT has no default targets for it; BERT's serve.
///
///     scores[i, j] = q_i · k_j / √d + table[bucket(j - i), head]
enum MPNet: Architecture {
    static let conventions = Conventions(
        architecture: "mpnet", backbone: "mpnet", headPath: "classifier.out_proj", headHasBias: true,
        headDensePath: "classifier.dense", choiceHeadPath: "classifier", tokenHeadPath: "classifier",
        maskedHead: Roberta.conventions.maskedHead, summaryToken: .first,
        defaultTargets: ["lora": ["q", "v"], "ia3": ["k", "v", "output.dense"]],
        feedForwardModules: ["output.dense"], className: "MPNet")

    private static let modules = BertModules(
        layer: { "encoder.layer.\($0)." }, queryKeyValue: ["q", "k", "v"].map { "attention.attn." + $0 },
        attentionOutput: "attention.attn.o", attentionEnd: "attention.attn", attentionNorm: "attention.LayerNorm",
        up: "intermediate.dense", down: "output.dense", feedForwardEnd: "output", feedForwardNorm: "output.LayerNorm")

    private static let keys = BertConfiguration.Keys(
        headDropout: "hidden_dropout_prob", tokenHeadDropout: "hidden_dropout_prob")

    /// Buckets that are used, however many the table has, and the distance from which on all is
    /// one.
    private static let (bucketCount, maximumDistance) = (32, 128)

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        let configuration = try BertConfiguration(
            folder.config, path: folder.path,
            .init(keys: keys, paddingToken: 1, readsPadding: false, countsPastPadding: true, hasTypes: false))
        let reader = ConfigurationReader(folder.config, path: folder.path)
        let rows = try reader.size("relative_attention_num_buckets", bucketCount)
        guard rows >= bucketCount else {
            throw GraftError(
                .unsupported,
                "\(reader.file): relative_attention_num_buckets is \(rows); expected at least \(bucketCount)")
        }
        return try Bert.load(
            folder, conventions, configuration, modules,
            bias: { reader throws(GraftError) in
                try reader.positionBias(
                    "encoder.relative_attention_bias", rows: rows, headCount: configuration.headCount,
                    bucketCount: bucketCount, maximumDistance: maximumDistance)
            }, precision: precision, team: team)
    }
}
