import GraftFormats
import GraftLayers
import GraftTensor

/// T5 (Raffel et al. 2020): an encoder and a decoder whose attention knows how far a key is from
/// its query by a bias, the same in all layers of a stack.
///
///     a = h + dropout(W_o attention(W_q n, W_k n, W_v n; bias))      n = RMSNorm(h), scores not scaled
///     c = a + dropout(W_o attention(W_q n, W_k s, W_v s))            in the decoder; s the encoder's last h
///     h = c + dropout(W_o dropout(f(W_i n)))                         or W_o dropout(f(W_i0 n) ∘ W_i1 n)
///     h = dropout(RMSNorm(h))                                        after the last layer
///     logits = E h, or E h / √width
///     logits = W_o tanh(W_d h)                    of a row that both stacks read, where its last eos_token_id is
enum T5: T5Kin {
    static let conventions = Conventions(
        architecture: "t5", backbone: "", rowBackbone: "transformer", headPath: "classification_head.out_proj",
        headHasBias: true,
        headDensePath: "classification_head.dense", summaryToken: .last, encoderClass: "T5EncoderModel",
        defaultTargets: [
            "lora": ["q", "v"], "ia3": ["k", "v", "wo"], "adalora": ["q", "k", "v", "o", "wi", "wo"],
        ],
        feedForwardModules: ["wo"], className: "T5",
        adapterHolders: [
            .attention: "attention_adapters", .crossAttention: "attention_adapters", .feedForward: "output_adapters",
        ])

    static let usual = T5Configuration.Usual(
        vocabularySize: 32128, innerSize: 2048, layerCount: 6, headCount: 8, feedForward: "relu", scalesHead: true)

    /// For its kin, too.
    static func load(
        _ folder: any TensorSource, _ conventions: Conventions, _ usual: T5Configuration.Usual, precision: Precision,
        team: Team
    ) throws(GraftError) -> Model {
        let configuration = try T5Configuration(folder.config, path: folder.path, usual)
        guard !configuration.isEncoder else {
            return try loadEncoder(
                folder, conventions.ofEncoder(backbone: "transformer", headPath: "classifier"), configuration,
                precision: precision, team: team)
        }
        let (hidden, shape) = (configuration.hiddenSize, configuration.shape)
        let prefix = conventions.prefix(folder.hasTensors)
        var reader = WeightReader(folder: folder, precision: precision, team: team, prefix: prefix)
        let tables = try VocabularyTables(folder, words: prefix + "shared", areTied: true)
        let wordSite = reader.sites.count
        let words = try reader.embedding(
            "shared", rows: configuration.vocabularySize, width: hidden, storedAs: tables.words)
        let languageHead = try reader.languageHead(shape, tables)
        let table = tables.shared(words, with: languageHead)
        let encoder = T5Stack("encoder", configuration.encoderLayerCount, configuration, shape, firstDropout: 0)
        let decoder = T5Stack(
            "decoder", configuration.decoderLayerCount, configuration, shape, firstDropout: encoder.dropoutCount)
        let reading = try encoder.load(table, &reader)
        let writing = try decoder.load(table, &reader)
        let head = try reader.sourceHead(conventions, labels: configuration.labels, shape)
        let generation = try GenerationConfiguration(folder)
        return Model(
            conventions, shape: shape,
            encoder: Encoder(
                embeddings: reading.embeddings, layers: reading.layers, finalNorm: reading.finalNorm,
                finalDropout: encoder.finalDropout, layerCount: configuration.encoderLayerCount, width: hidden),
            decoderTokens: configuration.decoderTokens, embeddings: writing.embeddings, layers: writing.layers,
            finalNorm: writing.finalNorm, finalDropout: decoder.finalDropout, pooler: head.pooler,
            summaryToken: configuration.decoderTokens.end.map { .lastInSource($0) }, baseHead: head.base,
            problem: configuration.problem, languageHead: languageHead,
            headScale: configuration.scalesHead ? 1 / Float(hidden).squareRoot() : 1,
            vocabulary: tables.sites(words: wordSite, head: languageHead),
            endTokens: try generation.endTokens(usual: 1), writing: try generation.writingRules(),
            headDropout: configuration.headDropout, initializerRange: configuration.initializerRange,
            sites: reader.sites, source: reader.source(shape))
    }

    /// The encoder alone, as `T5EncoderModel` and `T5ForTokenClassification` have it.
    private static func loadEncoder(
        _ folder: any TensorSource, _ conventions: Conventions, _ configuration: T5Configuration,
        precision: Precision, team: Team
    ) throws(GraftError) -> Model {
        let shape = configuration.shape
        let prefix = conventions.prefix(folder.hasTensors)
        var reader = WeightReader(folder: folder, precision: precision, team: team, prefix: prefix)
        let tables = try VocabularyTables(folder, words: prefix + "shared", areTied: true)
        let words = try reader.embedding(
            "shared", rows: shape.vocabularySize, width: shape.hiddenSize, storedAs: tables.words)
        let stack = T5Stack("encoder", shape.layerCount, configuration, shape, firstDropout: 0)
        let reading = try stack.load(words, &reader)
        let head = try reader.classifier(conventions, labels: configuration.labels, shape)
        return Model(
            conventions, shape: shape, embeddings: reading.embeddings, layers: reading.layers,
            finalNorm: reading.finalNorm, finalDropout: stack.finalDropout, headPooling: .mean, baseHead: head,
            problem: configuration.problem, vocabulary: tables.sites(words: 0, head: nil),
            headDropout: configuration.headDropout, initializerRange: configuration.initializerRange,
            sites: reader.sites, source: reader.source(shape))
    }
}

/// mT5 (Xue et al. 2021): T5 1.1 of many languages.
enum MT5: T5Kin {
    static let conventions = T5.conventions.named(
        "mt5", className: "MT5", encoderClass: "MT5EncoderModel",
        defaultTargets: [
            "lora": ["q", "v"], "ia3": ["k", "v", "wi_1"], "adalora": ["q", "k", "v", "o", "wi_0", "wi_1", "wo"],
        ],
        feedForwardModules: [])

    static let usual = T5Configuration.Usual(
        vocabularySize: 250112, innerSize: 1024, layerCount: 8, headCount: 6, feedForward: "gated-gelu",
        scalesHead: false)
}
