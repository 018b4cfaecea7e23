import GraftFormats
import GraftLayers
import GraftTensor

/// GPT-2 (Radford et al. 2019): a decoder with norms before each sub-layer and learned positions.
///
///     h = dropout(E[t] + P[i])
///     a = h + dropout(W_o attention(W_qkv LayerNorm(h)))
///     h = a + dropout(W_2 gelu(W_1 LayerNorm(a)))            for each layer
///     h = LayerNorm(h)
///     logits = E h
///
/// Its linear modules are `Conv1D`: their weights are stored [inputs, outputs].
enum GPT2: Architecture {
    static let conventions = Conventions(
        architecture: "gpt2", backbone: "transformer", headPath: "score", headHasBias: false,
        tokenHeadPath: "classifier", summaryToken: .last,
        defaultTargets: ["lora": ["c_attn"], "ia3": ["c_attn", "mlp.c_proj"]], feedForwardModules: ["mlp.c_proj"],
        className: "GPT2",
        adapterHolders: [.attention: "attention_adapters", .feedForward: "output_adapters"])

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        let configuration = try GPT2Configuration(folder.config, path: folder.path)
        let hidden = configuration.hiddenSize
        let prefix = conventions.prefix(folder.hasTensors)
        var reader = WeightReader(folder: folder, precision: precision, team: team, prefix: prefix)
        let shape = ModelShape(
            layerCount: configuration.layerCount, hiddenSize: hidden, vocabularySize: configuration.vocabularySize,
            typeCount: 0, maximumLength: configuration.maximumLength, headCount: configuration.headCount,
            keyWidth: hidden, keyHeadCount: configuration.headCount)
        let tables = try VocabularyTables(folder, words: prefix + "wte", areTied: configuration.tiesEmbeddings)
        let wordSite = reader.sites.count
        let words = try reader.embedding(
            "wte", rows: configuration.vocabularySize, width: hidden, storedAs: tables.words)
        let positions = try reader.embedding("wpe", rows: configuration.maximumLength, width: hidden)
        var layers: [[Sublayer]] = []
        for index in 0..<configuration.layerCount {
            layers.append([
                try attention(index, configuration, &reader), try feedForward(index, configuration, &reader),
            ])
        }
        let finalNorm = try reader.layerNorm(
            "ln_f", width: hidden, epsilon: configuration.epsilon, depth: configuration.layerCount, unit: .read)
        let baseHead = try reader.classifier(conventions, labels: configuration.labels, shape)
        let languageHead = try reader.languageHead(shape, tables)
        let embeddings = InputEmbeddings(
            words: tables.shared(words, with: languageHead), positions: positions,
            dropout: Dropout(probability: configuration.embeddingDropout, site: 0))
        return Model(
            conventions, shape: shape, embeddings: embeddings, layers: LayerStack(layers: layers),
            finalNorm: .layer(finalNorm), summaryToken: configuration.paddingToken.map { .lastExcept($0) },
            baseHead: baseHead, problem: configuration.problem, languageHead: languageHead,
            vocabulary: tables.sites(words: wordSite, head: languageHead),
            endTokens: try GenerationConfiguration(folder).endTokens(usual: 50256),
            tokenHeadDropout: configuration.tokenHeadDropout, initializerRange: configuration.initializerRange,
            sites: reader.sites, source: reader.source(shape))
    }

    private static func attention(
        _ index: Int, _ configuration: GPT2Configuration, _ reader: inout WeightReader
    ) throws(GraftError) -> Sublayer {
        let path = "h.\(index)."
        let (width, depth) = (configuration.hiddenSize, index + 1)
        let unit = Pass.Unit.ofLayer(index, of: configuration.layerCount)
        let firstSite = reader.sites.count
        let norm = try reader.layerNorm(path + "ln_1", width: width, epsilon: configuration.epsilon, depth: depth)
        let mixer = SelfAttention(
            projections: QueryKeyValue(
                together: try reader.linear(
                    [path + "attn.c_attn"], inputs: width, outputs: [3 * width], isTransposed: true, depth: depth),
                unit: unit, queryWidth: width, keyWidth: width),
            attention: Attention(
                headCount: configuration.headCount, keyValueHeadCount: configuration.headCount,
                headWidth: width / configuration.headCount, isCausal: true, unit: unit,
                dropoutProbability: configuration.attentionDropout, dropoutSite: dropoutSite(index, 0),
                precision: reader.precision),
            output: try reader.linear(
                [path + "attn.c_proj"], inputs: width, outputs: [width], isTransposed: true, depth: depth, unit: unit),
            layer: index, unit: unit, width: width, keepsContext: false)
        return reader.sublayer(
            .attention, path + "attn", before: .layer(norm), mixer: mixer, firstSite: firstSite, width: width,
            depth: depth, unit: unit,
            dropout: Dropout(probability: configuration.residualDropout, site: dropoutSite(index, 1), unit: unit))
    }

    private static func feedForward(
        _ index: Int, _ configuration: GPT2Configuration, _ reader: inout WeightReader
    ) throws(GraftError) -> Sublayer {
        let path = "h.\(index)."
        let (width, innerSize, depth) = (configuration.hiddenSize, configuration.intermediateSize, index + 1)
        let unit = Pass.Unit.ofLayer(index, of: configuration.layerCount)
        let firstSite = reader.sites.count
        let norm = try reader.layerNorm(
            path + "ln_2", width: width, epsilon: configuration.epsilon, depth: depth, unit: unit)
        let mixer = FeedForward(
            up: try reader.linear(
                [path + "mlp.c_fc"], inputs: width, outputs: [innerSize], isTransposed: true, depth: depth, unit: unit),
            down: try reader.linear(
                [path + "mlp.c_proj"], inputs: innerSize, outputs: [width], isTransposed: true, depth: depth,
                unit: unit),
            activation: configuration.activation, innerSize: innerSize)
        return reader.sublayer(
            .feedForward, path + "mlp", before: .layer(norm), mixer: mixer, firstSite: firstSite, width: width,
            depth: depth, unit: unit,
            dropout: Dropout(probability: configuration.residualDropout, site: dropoutSite(index, 2), unit: unit))
    }
}
