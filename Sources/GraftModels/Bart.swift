import GraftFormats
import GraftLayers
import GraftTensor

/// BART (Lewis et al. 2020): an encoder, and a decoder that reads what it makes of another row.
///
///     h = dropout(LayerNorm(σ E[t] + P[i]))                              for both stacks
///     a = LayerNorm(h + dropout(W_o attention(W_q h, W_k h, W_v h)))
///     c = LayerNorm(a + dropout(W_o attention(W_q a, W_k s, W_v s)))     in the decoder; s the encoder's last h
///     h = LayerNorm(c + dropout(W_2 gelu(W_1 c)))                        for each layer
///     logits = E h + b
///     logits = W_o tanh(W_d h)        of a row that both stacks read, where its last eos_token_id is
enum Bart: BartKin {
    static let conventions = Conventions(
        architecture: "bart", backbone: "model", headPath: "classification_head.out_proj", headHasBias: true,
        headDensePath: "classification_head.dense", summaryToken: .last,
        defaultTargets: [
            "lora": ["q_proj", "v_proj"], "ia3": ["q_proj", "v_proj", "fc2"],
            "adalora": [
                "q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2",
            ],
        ],
        feedForwardModules: ["fc2"], className: "Bart",
        adapterHolders: [
            .attention: "attention_adapters", .crossAttention: "cross_attention_adapters",
            .feedForward: "output_adapters",
        ])

    static let form = BartConfiguration.Form(
        numbering: .placesFrom(2), vocabularySize: 50265, paddingToken: 1, endToken: 2, startToken: 2,
        labelCount: 3)

    /// For its kin, too.
    static func load(
        _ folder: any TensorSource, _ conventions: Conventions, _ form: BartConfiguration.Form, precision: Precision,
        team: Team
    ) throws(GraftError) -> Model {
        let configuration = try BartConfiguration(folder.config, path: folder.path, form)
        let hidden = configuration.hiddenSize
        let prefix = conventions.prefix(folder.hasTensors)
        var reader = WeightReader(folder: folder, precision: precision, team: team, prefix: prefix)
        let shape = ModelShape(
            layerCount: configuration.decoder.layerCount, encoderLayerCount: configuration.encoder.layerCount,
            hiddenSize: hidden, vocabularySize: configuration.vocabularySize, typeCount: 0,
            maximumLength: configuration.maximumLength, headCount: configuration.decoder.headCount, keyWidth: hidden,
            keyHeadCount: configuration.decoder.headCount)
        let tables = try VocabularyTables(folder, words: prefix + "shared", areTied: configuration.tiesEmbeddings)
        let wordSite = reader.sites.count
        let words = try reader.embedding(
            "shared", rows: configuration.vocabularySize, width: hidden, frozenRow: configuration.paddingRow,
            storedAs: tables.words)
        let languageHead = try reader.languageHead(shape, tables, bias: "final_logits_bias")
        let table = tables.shared(words, with: languageHead)
        let encoder = BartStack("encoder", configuration.encoder, configuration, shape, firstDropout: 0)
        let decoder = BartStack(
            "decoder", configuration.decoder, configuration, shape, firstDropout: encoder.dropoutCount)
        let reading = try encoder.load(table, &reader)
        let writing = try decoder.load(table, &reader)
        let head = try reader.sourceHead(conventions, labels: configuration.labels, shape)
        let generation = try GenerationConfiguration(folder)
        return Model(
            conventions, shape: shape,
            encoder: Encoder(
                embeddings: reading.embeddings, layers: reading.layers, finalNorm: reading.finalNorm,
                layerCount: configuration.encoder.layerCount, width: hidden),
            decoderTokens: configuration.decoderTokens, embeddings: writing.embeddings, layers: writing.layers,
            finalNorm: writing.finalNorm, pooler: head.pooler,
            summaryToken: configuration.decoderTokens.end.map { .lastInSource($0) }, baseHead: head.base,
            problem: configuration.problem, languageHead: languageHead,
            vocabulary: tables.sites(words: wordSite, head: languageHead),
            endTokens: try generation.endTokens(usual: form.endToken), writing: try generation.writingRules(),
            headDropout: configuration.headDropout, initializerRange: configuration.initializerRange,
            sites: reader.sites, source: reader.source(shape))
    }
}
