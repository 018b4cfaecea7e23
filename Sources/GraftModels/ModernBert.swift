import GraftFormats
import GraftLayers
import GraftTensor

/// ModernBERT (Warner et al. 2024): an encoder with norms before each sub-layer but the first,
/// rotary positions and a gated feed-forward. In local layers a token sees those near it, and
/// positions turn by another base.
///
///     h = dropout(LayerNorm(E[t]))
///     a = h + W_o attention(rotate(W_qkv n))       where n = LayerNorm(h), or h in the first layer
///     h = a + W_2 (f(g) ∘ u), g, u = W_1 m         where m = LayerNorm(a), for each layer
///     h = LayerNorm(h)
///     logits = W dropout(LayerNorm(f(W_h p)))      p is h of a token, or a row's first or mean
///     logits = E LayerNorm(f(W_h h)) + c           of masked words
enum ModernBert: Architecture {
    static let conventions = Conventions(
        architecture: "modernbert", backbone: "model", headPath: "classifier", answerHeadPath: "classifier",
        headHasBias: true, headTransformPaths: ["head.dense", "head.norm"],
        maskedHead: MaskedHeadNames(
            dense: "head.dense", norm: "head.norm", decoder: "decoder", biases: ["decoder.bias"]),
        summaryToken: .first,
        defaultTargets: ["lora": ["Wqkv"], "ia3": ["Wqkv", "mlp.Wo"]], feedForwardModules: ["mlp.Wo"],
        className: "ModernBert")

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        let configuration = try ModernBertConfiguration(folder.config, path: folder.path)
        let width = configuration.hiddenSize
        let prefix = conventions.prefix(folder.hasTensors)
        var reader = WeightReader(folder: folder, precision: precision, team: team, prefix: prefix)
        let shape = ModelShape(
            layerCount: configuration.layerCount, hiddenSize: width, vocabularySize: configuration.vocabularySize,
            typeCount: 0, maximumLength: configuration.maximumLength, headCount: configuration.headCount,
            keyWidth: width, keyHeadCount: configuration.headCount)
        let wordSite = reader.sites.count
        let embeddings = InputEmbeddings(
            words: try reader.embedding(
                "embeddings.tok_embeddings", rows: configuration.vocabularySize, width: width,
                frozenRow: configuration.paddingRow),
            norm: try norm("embeddings.norm", configuration, depth: 0, &reader),
            dropout: Dropout(probability: configuration.embeddingDropout, site: 0))
        let headWidth = width / configuration.headCount
        let rotaries = (
            global: try Rotary(headWidth: headWidth, base: configuration.globalBase, scaling: .none),
            local: try Rotary(headWidth: headWidth, base: configuration.localBase, scaling: .none)
        )
        var layers: [[Sublayer]] = []
        for index in 0..<configuration.layerCount {
            let rotary = configuration.isLocal[index] ? rotaries.local : rotaries.global
            layers.append([
                try attention(index, configuration, rotary, &reader), try feedForward(index, configuration, &reader),
            ])
        }
        let finalNorm = try norm("final_norm", configuration, depth: configuration.layerCount, unit: .read, &reader)
        let transform = try transform(configuration, shape, &reader)
        let baseHead = try reader.classifier(conventions, labels: configuration.labels, shape)
        let masked = try reader.maskedHead(
            conventions, configuration.headActivation, epsilon: configuration.epsilon, shape, words: wordSite,
            behind: (transform.dense, transform.norm), bias: configuration.hasDecoderBias)
        let pooler = Pooler(
            transform.dense, configuration.headActivation, norm: transform.norm, readsTokens: true)
        return Model(
            conventions, shape: shape, embeddings: embeddings, layers: LayerStack(layers: layers),
            finalNorm: .layer(finalNorm), pooler: pooler, headPooling: configuration.headPooling,
            baseHead: baseHead, problem: configuration.problem,
            missingForClassification: transform.isAbsent ? conventions.headTransformPaths : [], maskedHead: masked.head,
            vocabulary: masked.vocabulary,
            headDropout: configuration.headDropout, tokenHeadDropout: configuration.headDropout,
            answerHeadDropout: configuration.headDropout, initializerRange: configuration.initializerRange,
            sites: reader.sites, source: reader.source(shape))
    }

    private static func norm(
        _ path: String, _ configuration: ModernBertConfiguration, depth: Int, unit: Pass.Unit = .tokens,
        place: Site.Place = .backbone, _ reader: inout WeightReader
    ) throws(GraftError) -> LayerNorm {
        try reader.layerNorm(
            path, width: configuration.hiddenSize, epsilon: configuration.epsilon, bias: configuration.hasNormBias,
            depth: depth, unit: unit, place: place)
    }

    /// What all heads read; a checkpoint of the backbone alone lacks it.
    private static func transform(
        _ configuration: ModernBertConfiguration, _ shape: ModelShape, _ reader: inout WeightReader
    ) throws(GraftError) -> (dense: Linear, norm: LayerNorm, isAbsent: Bool) {
        let width = configuration.hiddenSize
        guard reader.folder.entry("head.dense.weight") != nil else {
            let dense = try reader.missingLinear(
                "head.dense", inputs: width, outputs: width, bias: configuration.hasHeadBias, depth: shape.poolerDepth,
                unit: .rows, place: .beside)
            let norm = try reader.missingNorm(
                "head.norm", width: width, epsilon: configuration.epsilon, bias: configuration.hasNormBias,
                depth: shape.poolerDepth, unit: .rows)
            return (dense, norm, true)
        }
        let dense = try reader.linear(
            ["head.dense"], inputs: width, outputs: [width], bias: configuration.hasHeadBias,
            depth: shape.poolerDepth, unit: .rows, place: .beside)
        let norm = try norm(
            "head.norm", configuration, depth: shape.poolerDepth, unit: .rows, place: .beside, &reader)
        return (dense, norm, false)
    }

    private static func attention(
        _ index: Int, _ configuration: ModernBertConfiguration, _ rotary: Rotary, _ reader: inout WeightReader
    ) throws(GraftError) -> Sublayer {
        let path = "layers.\(index)."
        let (width, depth) = (configuration.hiddenSize, index + 1)
        let unit = Pass.Unit.ofLayer(index, of: configuration.layerCount)
        let firstSite = reader.sites.count
        let norm = try index == 0 ? nil : norm(path + "attn_norm", configuration, depth: depth, &reader)
        let mixer = SelfAttention(
            projections: QueryKeyValue(
                together: try reader.linear(
                    [path + "attn.Wqkv"], inputs: width, outputs: [3 * width], bias: configuration.hasAttentionBias,
                    depth: depth), unit: unit, queryWidth: width, keyWidth: width),
            rotary: rotary,
            attention: Attention(
                headCount: configuration.headCount, keyValueHeadCount: configuration.headCount,
                headWidth: width / configuration.headCount, isCausal: false,
                window: configuration.isLocal[index] ? configuration.window : nil, unit: unit,
                dropoutProbability: configuration.attentionDropout, dropoutSite: dropoutSite(index, 0),
                precision: reader.precision),
            output: try reader.linear(
                [path + "attn.Wo"], inputs: width, outputs: [width], bias: configuration.hasAttentionBias,
                depth: depth, unit: unit),
            layer: index, unit: unit, width: width, keepsContext: false)
        return reader.sublayer(
            .attention, path + "attn", before: norm.map(Norm.layer), mixer: mixer, firstSite: firstSite, width: width,
            depth: depth, unit: unit,
            dropout: Dropout(
                probability: configuration.attentionDropout, site: dropoutSite(index, 1), unit: unit))
    }

    private static func feedForward(
        _ index: Int, _ configuration: ModernBertConfiguration, _ reader: inout WeightReader
    ) throws(GraftError) -> Sublayer {
        let path = "layers.\(index)."
        let (width, innerSize, depth) = (configuration.hiddenSize, configuration.intermediateSize, index + 1)
        let unit = Pass.Unit.ofLayer(index, of: configuration.layerCount)
        let firstSite = reader.sites.count
        let norm = try norm(path + "mlp_norm", configuration, depth: depth, unit: unit, &reader)
        let mixer = GatedFeedForward(
            gateUp: try reader.linear(
                [path + "mlp.Wi"], inputs: width, outputs: [2 * innerSize], bias: configuration.hasFeedForwardBias,
                depth: depth, unit: unit),
            down: try reader.linear(
                [path + "mlp.Wo"], inputs: innerSize, outputs: [width], bias: configuration.hasFeedForwardBias,
                depth: depth, unit: unit),
            activation: configuration.activation, innerSize: innerSize)
        return reader.sublayer(
            .feedForward, path + "mlp", before: .layer(norm), mixer: mixer, firstSite: firstSite, width: width,
            depth: depth, unit: unit)
    }
}
