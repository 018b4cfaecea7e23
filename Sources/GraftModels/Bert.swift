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
        architecture: "bert", backbone: "bert", headPath: "classifier", headHasBias: true, summaryToken: .first,
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
        _ modules: BertModules = .bert, precision: Precision, team: Team
    ) throws(GraftError) -> Model {
        let hidden = configuration.hiddenSize
        let prefix = conventions.prefix(folder.hasTensors)
        var reader = WeightReader(folder: folder, precision: precision, team: team, prefix: prefix)
        let shape = ModelShape(
            layerCount: configuration.layerCount, hiddenSize: hidden, vocabularySize: configuration.vocabularySize,
            typeCount: configuration.typeCount, maximumLength: configuration.maximumLength,
            headCount: configuration.headCount, keyWidth: hidden, keyHeadCount: configuration.headCount)
        let vocabulary = VocabularySites(words: reader.sites.count)
        let embeddings = InputEmbeddings(
            words: try reader.embedding(
                "embeddings.word_embeddings", rows: configuration.vocabularySize, width: hidden,
                frozenRow: configuration.paddingRow),
            positions: try reader.embedding(
                "embeddings.position_embeddings", rows: configuration.positionCount, width: hidden,
                frozenRow: configuration.numbering.frozenRow),
            numbering: configuration.numbering,
            types: try configuration.typeCount == 0
                ? nil
                : reader.embedding(
                    "embeddings.token_type_embeddings", rows: configuration.typeCount, width: hidden),
            norm: try reader.layerNorm(
                "embeddings.LayerNorm", width: hidden, epsilon: configuration.epsilon, depth: 0),
            dropoutProbability: configuration.hiddenDropout)
        var layers: [[Sublayer]] = []
        for index in 0..<configuration.layerCount {
            layers.append([
                try attention(index, configuration, modules, &reader),
                try feedForward(index, configuration, modules, &reader),
            ])
        }
        let pooler = try pooler(conventions, shape, &reader)
        let baseHead = try reader.classifier(conventions, labels: configuration.labels, shape)
        return Model(
            conventions, shape: shape, embeddings: embeddings, layers: LayerStack(layers: layers),
            pooler: Pooler(pooler.dense, conventions.headActivation), baseHead: baseHead,
            problem: configuration.problem,
            missingForClassification: pooler.isBackbones ? [] : ["pooler.dense"], vocabulary: vocabulary,
            headDropout: configuration.headDropout, tokenHeadDropout: configuration.tokenHeadDropout,
            answerHeadDropout: configuration.answerHeadDropout,
            initializerRange: configuration.initializerRange,
            sites: reader.sites, source: reader.source(shape))
    }

    /// What the heads of rows read: the backbone's pooler, or the dense layer of the checkpoint's
    /// own head where its class has no pooler.
    private static func pooler(
        _ conventions: Conventions, _ shape: ModelShape, _ reader: inout WeightReader
    ) throws(GraftError) -> (dense: Linear, isBackbones: Bool) {
        let (hidden, depth) = (shape.hiddenSize, shape.poolerDepth)
        if let path = conventions.headDensePath, try reader.headClass == .rows,
            reader.folder.entry(path + ".weight") != nil
        {
            let dense = try reader.linear(
                [path], inputs: hidden, outputs: [hidden], depth: depth, unit: .rows, place: .beside)
            return (dense, false)
        }
        let path = "pooler.dense"
        guard reader.has(path + ".weight") else {
            let missing = try reader.missingLinear(path, inputs: hidden, outputs: hidden, depth: depth, unit: .rows)
            return (missing, false)
        }
        let dense = try reader.linear([path], inputs: hidden, outputs: [hidden], depth: depth, unit: .rows)
        return (dense, true)
    }

    private static func attention(
        _ index: Int, _ configuration: BertConfiguration, _ modules: BertModules, _ reader: inout WeightReader
    ) throws(GraftError) -> Sublayer {
        let path = modules.layers + "\(index)."
        let (width, depth) = (configuration.hiddenSize, index + 1)
        let unit = Pass.Unit.ofLayer(index, of: configuration.layerCount)
        let firstSite = reader.sites.count
        let mixer = SelfAttention(
            projections: try reader.queryKeyValue(
                modules.queryKeyValue.map { path + $0 }, inputs: width, queryWidth: width,
                keyWidth: width, depth: depth, unit: unit),
            attention: Attention(
                headCount: configuration.headCount, keyValueHeadCount: configuration.headCount,
                headWidth: width / configuration.headCount, isCausal: false, unit: unit,
                dropoutProbability: configuration.attentionDropout, dropoutSite: dropoutSite(index, 0),
                precision: reader.precision),
            output: try reader.linear(
                [path + modules.attentionOutput], inputs: width, outputs: [width], depth: depth, unit: unit),
            layer: index, unit: unit, width: width, keepsContext: true)
        let innerSites = firstSite..<reader.sites.count
        return try sublayer(
            mixer, .attention, end: path + modules.attentionEnd, norm: path + modules.attentionNorm, index: index,
            unit: unit, innerSites: innerSites,
            dropout: 1, configuration, &reader)
    }

    private static func feedForward(
        _ index: Int, _ configuration: BertConfiguration, _ modules: BertModules, _ reader: inout WeightReader
    ) throws(GraftError) -> Sublayer {
        let path = modules.layers + "\(index)."
        let (width, innerSize, depth) = (configuration.hiddenSize, configuration.intermediateSize, index + 1)
        let unit = Pass.Unit.ofLayer(index, of: configuration.layerCount)
        let firstSite = reader.sites.count
        let mixer = FeedForward(
            up: try reader.linear(
                [path + modules.up], inputs: width, outputs: [innerSize], depth: depth, unit: unit),
            down: try reader.linear(
                [path + modules.down], inputs: innerSize, outputs: [width], depth: depth, unit: unit),
            activation: configuration.activation, innerSize: innerSize)
        let innerSites = firstSite..<reader.sites.count
        return try sublayer(
            mixer, .feedForward, end: path + modules.feedForwardEnd, norm: path + modules.feedForwardNorm, index: index,
            unit: unit, innerSites: innerSites,
            dropout: 2, configuration, &reader)
    }

    /// The mixer with modules `end`, which holds the end of its sub-layer, and `norm`.
    private static func sublayer(
        _ mixer: any Mixer, _ kind: Site.Sublayer, end: String, norm: String, index: Int, unit: Pass.Unit,
        innerSites: Range<Int>,
        dropout: Int, _ configuration: BertConfiguration, _ reader: inout WeightReader
    ) throws(GraftError) -> Sublayer {
        let (width, depth) = (configuration.hiddenSize, index + 1)
        let branch = reader.branch(end, after: kind, width: width, depth: depth, unit: unit)
        let norm = try reader.layerNorm(
            norm, width: width, epsilon: configuration.epsilon, depth: depth, unit: unit)
        return Sublayer(
            norm: .afterSum(norm), mixer: mixer, branch: branch, unit: unit, width: width,
            dropoutProbability: configuration.hiddenDropout, dropoutSite: dropoutSite(index, dropout),
            innerSites: innerSites, sites: innerSites.lowerBound..<reader.sites.count)
    }
}
