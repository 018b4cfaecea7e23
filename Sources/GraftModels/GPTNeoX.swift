import GraftFormats
import GraftLayers
import GraftTensor

/// GPT-NeoX (Black et al. 2022), Pythia's architecture too: a decoder whose two sub-layers read the
/// same states, and of whose heads a share turns by positions.
///
///     h = dropout(E[t])
///     a = dropout(W_o attention(rotate(q), rotate(k), v))   where q, k, v = W_qkv LayerNorm(h) + b, head by head
///     h = h + a + dropout(W_2 f(W_1 LayerNorm(h)))          for each layer; or LayerNorm(h + a), one after the other
///     h = LayerNorm(h)
///     logits = W h
enum GPTNeoX: Architecture {
    static let conventions = Conventions(
        architecture: "gpt_neox", backbone: "gpt_neox", headPath: "score", headHasBias: false,
        tokenHeadPath: "classifier", summaryToken: .last,
        defaultTargets: ["lora": ["query_key_value"], "ia3": ["query_key_value", "dense_4h_to_h"]],
        feedForwardModules: ["dense_4h_to_h"], className: "GPTNeoX",
        formerNames: [storedHead: VocabularyTables.head],
        adapterHolders: [.attention: "attention_adapters", .feedForward: "output_adapters"])

    /// What files call the matrix of the logits, whose module transformers 5 calls as everywhere.
    private static let storedHead = "embed_out"

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        let configuration = try GPTNeoXConfiguration(folder.config, path: folder.path)
        let hidden = configuration.hiddenSize
        let prefix = conventions.prefix(folder.hasTensors)
        var reader = WeightReader(folder: folder, precision: precision, team: team, prefix: prefix)
        let shape = ModelShape(
            layerCount: configuration.layerCount, hiddenSize: hidden, vocabularySize: configuration.vocabularySize,
            typeCount: 0, maximumLength: configuration.maximumLength,
            textBorders: configuration.rotary.scaling.border.map { [$0] } ?? [], headCount: configuration.headCount,
            keyWidth: hidden, keyHeadCount: configuration.headCount)
        let head = folder.entry(storedHead + ".weight") == nil ? VocabularyTables.head : storedHead
        let tables = try VocabularyTables(
            folder, words: prefix + "embed_in", head: head, areTied: configuration.tiesEmbeddings)
        let wordSite = reader.sites.count
        let words = try reader.embedding(
            "embed_in", rows: configuration.vocabularySize, width: hidden, storedAs: tables.words)
        let rotary = try Rotary(
            headWidth: configuration.headWidth,
            turnedWidth: configuration.rotary.turnedWidth(of: configuration.headWidth),
            base: configuration.rotary.base, scaling: configuration.rotary.scaling)
        var layers: [[Sublayer]] = []
        for index in 0..<configuration.layerCount {
            layers.append(try layer(index, configuration, rotary, &reader))
        }
        let finalNorm = try reader.layerNorm(
            "final_layer_norm", width: hidden, epsilon: configuration.epsilon, depth: configuration.layerCount,
            unit: .read)
        let baseHead = try reader.classifier(conventions, labels: configuration.labels, shape)
        let languageHead = try reader.languageHead(shape, tables)
        let embeddings = InputEmbeddings(
            words: tables.shared(words, with: languageHead),
            dropout: Dropout(probability: configuration.hiddenDropout, site: 0))
        return Model(
            conventions, shape: shape, embeddings: embeddings, layers: LayerStack(layers: layers),
            finalNorm: .layer(finalNorm), summaryToken: configuration.paddingToken.map { .lastExcept($0) },
            baseHead: baseHead, problem: configuration.problem, languageHead: languageHead,
            vocabulary: tables.sites(words: wordSite, head: languageHead),
            endTokens: try GenerationConfiguration(folder).endTokens(usual: 2),
            tokenHeadDropout: configuration.tokenHeadDropout, initializerRange: configuration.initializerRange,
            sites: reader.sites, source: reader.source(shape))
    }

    private static func layer(
        _ index: Int, _ configuration: GPTNeoXConfiguration, _ rotary: Rotary, _ reader: inout WeightReader
    ) throws(GraftError) -> [Sublayer] {
        let path = "layers.\(index)."
        let (width, depth) = (configuration.hiddenSize, index + 1)
        let unit = Pass.Unit.ofLayer(index, of: configuration.layerCount)
        func dropout(_ number: Int) -> Dropout {
            Dropout(probability: configuration.hiddenDropout, site: dropoutSite(index, number), unit: unit)
        }
        let firstSite = reader.sites.count
        let attentionNorm = try norm(path + "input_layernorm", configuration, depth: depth, &reader)
        let attention = try attention(index, path + "attention.", configuration, rotary, unit, &reader)
        guard configuration.isParallel else {
            let first = reader.sublayer(
                .attention, path + "attention", before: attentionNorm, mixer: attention, firstSite: firstSite,
                width: width, depth: depth, unit: unit, dropout: dropout(1))
            let secondSite = reader.sites.count
            let norm = try norm(path + "post_attention_layernorm", configuration, depth: depth, unit: unit, &reader)
            let second = reader.sublayer(
                .feedForward, path + "mlp", before: norm,
                mixer: try feedForward(path + "mlp.", configuration, depth: depth, unit, &reader),
                firstSite: secondSite, width: width, depth: depth, unit: unit, dropout: dropout(2))
            return [first, second]
        }
        let attending = ParallelMixers.Way(
            norm: attentionNorm, mixer: attention,
            branch: reader.branch(path + "attention", after: .attention, width: width, depth: depth, unit: unit),
            reads: .tokens, dropout: dropout(1))
        let feeding = ParallelMixers.Way(
            norm: try norm(path + "post_attention_layernorm", configuration, depth: depth, unit: unit, &reader),
            mixer: try feedForward(path + "mlp.", configuration, depth: depth, unit, &reader),
            branch: reader.branch(path + "mlp", after: .feedForward, width: width, depth: depth, unit: unit),
            reads: unit, dropout: dropout(2))
        let mixers = ParallelMixers(
            attention: attending, feedForward: feeding, unit: unit, width: width)
        let sites = firstSite..<reader.sites.count
        return [
            Sublayer(
                norm: .inBranch(before: nil, after: nil), mixer: mixers, branch: nil, unit: unit, width: width,
                innerSites: sites, sites: sites)
        ]
    }

    private static func norm(
        _ path: String, _ configuration: GPTNeoXConfiguration, depth: Int, unit: Pass.Unit = .tokens,
        _ reader: inout WeightReader
    ) throws(GraftError) -> Norm {
        .layer(
            try reader.layerNorm(
                path, width: configuration.hiddenSize, epsilon: configuration.epsilon, depth: depth, unit: unit))
    }

    private static func attention(
        _ index: Int, _ path: String, _ configuration: GPTNeoXConfiguration, _ rotary: Rotary, _ unit: Pass.Unit,
        _ reader: inout WeightReader
    ) throws(GraftError) -> SelfAttention {
        let (width, depth, bias) = (configuration.hiddenSize, index + 1, configuration.hasAttentionBias)
        return SelfAttention(
            projections: QueryKeyValue(
                byHeads: try reader.linear(
                    [path + "query_key_value"], inputs: width, outputs: [3 * width], bias: bias, depth: depth),
                headWidth: configuration.headWidth, unit: unit, width: width),
            rotary: rotary,
            attention: Attention(
                headCount: configuration.headCount, keyValueHeadCount: configuration.headCount,
                headWidth: configuration.headWidth, isCausal: true, unit: unit,
                dropoutProbability: configuration.attentionDropout, dropoutSite: dropoutSite(index, 0),
                precision: reader.precision),
            output: try reader.linear(
                [path + "dense"], inputs: width, outputs: [width], bias: bias, depth: depth, unit: unit),
            layer: index, unit: unit, width: width, keepsContext: false)
    }

    private static func feedForward(
        _ path: String, _ configuration: GPTNeoXConfiguration, depth: Int, _ unit: Pass.Unit,
        _ reader: inout WeightReader
    ) throws(GraftError) -> FeedForward {
        let (width, innerSize) = (configuration.hiddenSize, configuration.intermediateSize)
        return FeedForward(
            up: try reader.linear(
                [path + "dense_h_to_4h"], inputs: width, outputs: [innerSize], depth: depth, unit: unit),
            down: try reader.linear(
                [path + "dense_4h_to_h"], inputs: innerSize, outputs: [width], depth: depth, unit: unit),
            activation: configuration.activation, innerSize: innerSize)
    }
}
