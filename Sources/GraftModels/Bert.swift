import GraftFormats
import GraftLayers
import GraftTensor

/// BERT (Devlin et al. 2019): an encoder with norms after each sub-layer.
///
///     h = dropout(LayerNorm(word[t] + position[i] + type[s]))
///     a = LayerNorm(h + dropout(W_o attention(W_q h, W_k h, W_v h)))
///     h = LayerNorm(a + dropout(W_2 gelu(W_1 a)))            for each layer
///     pooled = tanh(W_p h[first token])
enum Bert: Architecture {
    static let conventions = Conventions(
        architecture: "bert", backbone: "bert", headPath: "classifier", headHasBias: true,
        choiceHeadPath: "classifier",
        maskedHead: MaskedHeadNames(
            dense: "cls.predictions.transform.dense", norm: "cls.predictions.transform.LayerNorm",
            decoder: "cls.predictions.decoder", biases: ["cls.predictions.decoder.bias", "cls.predictions.bias"]),
        summaryToken: .first,
        defaultTargets: ["lora": ["query", "value"], "ia3": ["key", "value", "output.dense"]],
        feedForwardModules: ["output.dense"], className: "Bert")

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        try load(
            folder, conventions, try BertConfiguration(folder.config, path: folder.path), precision: precision,
            team: team)
    }

    /// For architectures of the same modules and formula, too.
    static func load(
        _ folder: any TensorSource, _ conventions: Conventions, _ configuration: BertConfiguration,
        _ modules: BertModules = .bert,
        bias: ((inout WeightReader) throws(GraftError) -> PositionBias)? = nil, precision: Precision, team: Team
    ) throws(GraftError) -> Model {
        let (hidden, width) = (configuration.hiddenSize, configuration.embeddingSize)
        let prefix = conventions.prefix(folder.hasTensors)
        var reader = WeightReader(folder: folder, precision: precision, team: team, prefix: prefix)
        let shape = ModelShape(
            layerCount: configuration.layerCount, hiddenSize: hidden, embeddingWidth: width,
            vocabularySize: configuration.vocabularySize, typeCount: configuration.typeCount,
            maximumLength: configuration.maximumLength,
            headCount: configuration.headCount, keyWidth: hidden, keyHeadCount: configuration.headCount)
        let wordSite = reader.sites.count
        let embeddings = InputEmbeddings(
            words: try reader.embedding(
                "embeddings.word_embeddings", rows: configuration.vocabularySize, width: width,
                frozenRow: configuration.paddingRow),
            positions: try configuration.rotary != nil
                ? nil
                : reader.embedding(
                    "embeddings.position_embeddings", rows: configuration.positionCount, width: width,
                    frozenRow: configuration.numbering.frozenRow),
            numbering: configuration.numbering,
            types: try configuration.typeCount == 0
                ? nil
                : reader.embedding(
                    "embeddings.token_type_embeddings", rows: configuration.typeCount, width: width),
            norm: try reader.layerNorm(
                "embeddings.LayerNorm", width: width, epsilon: configuration.epsilon, depth: 0),
            projection: try width == hidden && !modules.projectsAlways
                ? nil
                : modules.projection.map { path throws(GraftError) in
                    try reader.linear([path], inputs: width, outputs: [hidden], depth: 0)
                },
            dropout: Dropout(probability: configuration.hiddenDropout, site: 0))
        let layers = try layers(configuration, modules, bias: try bias?(&reader), &reader)
        let pooler = try pooler(conventions, modules, shape, &reader)
        let baseHead = try reader.classifier(conventions, labels: configuration.labels, shape)
        let masked = try reader.maskedHead(
            conventions, configuration.activation, epsilon: configuration.epsilon, shape, words: wordSite)
        return Model(
            conventions, shape: shape, embeddings: embeddings, layers: LayerStack(layers: layers),
            pooler: Pooler(pooler.dense, conventions.headActivation), baseHead: baseHead,
            problem: configuration.problem,
            missingForClassification: pooler.isBackbones ? [] : [modules.pooler], maskedHead: masked.head,
            vocabulary: masked.vocabulary,
            headDropout: configuration.headDropout, tokenHeadDropout: configuration.tokenHeadDropout,
            answerHeadDropout: configuration.answerHeadDropout,
            initializerRange: configuration.initializerRange,
            sites: reader.sites, source: reader.source(shape))
    }

    private static func layers(
        _ configuration: BertConfiguration, _ modules: BertModules, bias: PositionBias?, _ reader: inout WeightReader
    ) throws(GraftError) -> [[Sublayer]] {
        let order = configuration.layers
        let headWidth = configuration.hiddenSize / configuration.headCount
        let rotary = try configuration.rotary.map { settings throws(GraftError) in
            try Rotary(headWidth: headWidth, base: settings.base, scaling: settings.scaling)
        }
        var own: [BertLayer] = []
        for number in 0...(order.max() ?? 0) {
            own.append(
                try BertLayer(
                    number, modules, configuration, depth: (order.firstIndex(of: number) ?? 0) + 1,
                    unit: number == order.last ? .read : .tokens, &reader))
        }
        var repetitions = own.map { _ in 0 }
        return order.enumerated().map { index, number in
            defer { repetitions[number] += 1 }
            return own[number].sublayers(
                index, repetition: repetitions[number], configuration, bias: bias, rotary, precision: reader.precision)
        }
    }

    /// What the heads of rows read: the backbone's pooler, or the dense layer of the checkpoint's
    /// own head where its class has no pooler.
    private static func pooler(
        _ conventions: Conventions, _ modules: BertModules, _ shape: ModelShape, _ reader: inout WeightReader
    ) throws(GraftError) -> (dense: Linear, isBackbones: Bool) {
        let (hidden, depth) = (shape.hiddenSize, shape.poolerDepth)
        if let dense = try reader.headDense(conventions, shape) { return (dense, false) }
        let path = modules.pooler
        guard reader.has(path + ".weight") else {
            let missing = try reader.missingLinear(path, inputs: hidden, outputs: hidden, depth: depth, unit: .rows)
            return (missing, false)
        }
        let dense = try reader.linear([path], inputs: hidden, outputs: [hidden], depth: depth, unit: .rows)
        return (dense, true)
    }
}
