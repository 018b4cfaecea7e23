import GraftFormats
import GraftLayers
import GraftTensor

/// Llama (Touvron et al. 2023): a decoder with norms before each sub-layer, rotary positions and
/// grouped queries.
///
///     h = E[t]
///     a = h + W_o attention(rotate(W_q n), rotate(W_k n), W_v n)   where n = RMSNorm(h)
///     h = a + W_down (f(W_gate m) ∘ W_up m)                        where m = RMSNorm(a), for each layer
///     h = RMSNorm(h)
///     logits = W h                 W is E where config.json ties them
enum Llama: Architecture {
    static let conventions = Conventions(
        architecture: "llama", backbone: "model", answerBackbone: "transformer", headPath: "score", headHasBias: false,
        summaryToken: .last,
        defaultTargets: ["lora": ["q_proj", "v_proj"], "ia3": ["k_proj", "v_proj", "down_proj"]],
        feedForwardModules: ["down_proj"], className: "Llama",
        adapterHolders: [.attention: "attention_adapters", .feedForward: "output_adapters"])

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        try load(
            folder, conventions, try LlamaConfiguration(folder.config, path: folder.path), precision: precision,
            team: team)
    }

    /// For architectures of the same modules and formula, too.
    static func load(
        _ folder: any TensorSource, _ conventions: Conventions, _ configuration: LlamaConfiguration,
        precision: Precision, team: Team
    ) throws(GraftError) -> Model {
        let hidden = configuration.hiddenSize
        let prefix = conventions.prefix(folder.hasTensors)
        var reader = WeightReader(folder: folder, precision: precision, team: team, prefix: prefix)
        let shape = ModelShape(
            layerCount: configuration.layerCount, hiddenSize: hidden, vocabularySize: configuration.vocabularySize,
            typeCount: 0, maximumLength: configuration.maximumLength, headCount: configuration.headCount,
            keyWidth: configuration.keyValueHeadCount * configuration.headWidth,
            keyHeadCount: configuration.keyValueHeadCount)
        let tables = try VocabularyTables(folder, words: prefix + "embed_tokens", areTied: configuration.tiesEmbeddings)
        let wordSite = reader.sites.count
        let words = try reader.embedding(
            "embed_tokens", rows: configuration.vocabularySize, width: hidden, frozenRow: configuration.paddingRow,
            storedAs: tables.words)
        let rotary = try Rotary(
            headWidth: configuration.headWidth, base: configuration.rotaryBase, scaling: configuration.rotaryScaling)
        var layers: [[Sublayer]] = []
        for index in 0..<configuration.layerCount {
            layers.append([
                try attention(index, configuration, rotary, &reader), try feedForward(index, configuration, &reader),
            ])
        }
        let finalNorm = try reader.rmsNorm(
            "norm", width: hidden, epsilon: configuration.epsilon, depth: configuration.layerCount, unit: .read)
        let baseHead = try reader.classifier(conventions, labels: configuration.labels, shape)
        let languageHead = try reader.languageHead(shape, tables)
        return Model(
            conventions, shape: shape,
            embeddings: InputEmbeddings(words: tables.shared(words, with: languageHead)),
            layers: LayerStack(layers: layers), finalNorm: .rms(finalNorm),
            summaryToken: configuration.paddingToken.map { .lastExcept($0) }, baseHead: baseHead,
            problem: configuration.problem, languageHead: languageHead,
            vocabulary: tables.sites(words: wordSite, head: languageHead),
            endTokens: try folder.endTokens(usual: configuration.endToken),
            tokenHeadDropout: configuration.tokenHeadDropout, initializerRange: configuration.initializerRange,
            sites: reader.sites, source: reader.source(shape))
    }

    private static func attention(
        _ index: Int, _ configuration: LlamaConfiguration, _ rotary: Rotary, _ reader: inout WeightReader
    ) throws(GraftError) -> Sublayer {
        let path = "layers.\(index)."
        let (width, depth) = (configuration.hiddenSize, index + 1)
        let unit = Pass.Unit.ofLayer(index, of: configuration.layerCount)
        let queryWidth = configuration.headCount * configuration.headWidth
        let firstSite = reader.sites.count
        let norm = try reader.rmsNorm(
            path + "input_layernorm", width: width, epsilon: configuration.epsilon, depth: depth)
        let mixer = SelfAttention(
            projections: try reader.queryKeyValue(
                ["q_proj", "k_proj", "v_proj"].map { path + "self_attn." + $0 }, inputs: width,
                queryWidth: queryWidth, keyWidth: configuration.keyValueHeadCount * configuration.headWidth,
                bias: configuration.hasQueryKeyValueBias, depth: depth, unit: unit),
            norms: try configuration.hasHeadNorms
                ? headNorms(path + "self_attn.", configuration, depth: depth, unit: unit, &reader) : nil,
            rotary: configuration.turns[index] ? rotary : nil,
            attention: Attention(
                headCount: configuration.headCount, keyValueHeadCount: configuration.keyValueHeadCount,
                headWidth: configuration.headWidth, isCausal: true, window: configuration.windows[index], unit: unit,
                dropoutProbability: configuration.attentionDropout, dropoutSite: index, precision: reader.precision),
            output: try reader.linear(
                [path + "self_attn.o_proj"], inputs: queryWidth, outputs: [width],
                bias: configuration.hasOutputBias, depth: depth, unit: unit),
            layer: index, unit: unit, width: queryWidth, keepsContext: false)
        return reader.sublayer(
            .attention, path + "self_attn", norm: .rms(norm), mixer: mixer, firstSite: firstSite, width: width,
            depth: depth,
            unit: unit)
    }

    private static func headNorms(
        _ path: String, _ configuration: LlamaConfiguration, depth: Int, unit: Pass.Unit, _ reader: inout WeightReader
    ) throws(GraftError) -> HeadNorms {
        let (width, epsilon) = (configuration.headWidth, configuration.epsilon)
        return HeadNorms(
            query: try reader.rmsNorm(
                path + "q_norm", width: width, headCount: configuration.headCount, epsilon: epsilon, depth: depth,
                unit: unit),
            key: try reader.rmsNorm(
                path + "k_norm", width: width, headCount: configuration.keyValueHeadCount, epsilon: epsilon,
                depth: depth))
    }

    private static func feedForward(
        _ index: Int, _ configuration: LlamaConfiguration, _ reader: inout WeightReader
    ) throws(GraftError) -> Sublayer {
        let path = "layers.\(index)."
        let (width, innerSize, depth) = (configuration.hiddenSize, configuration.intermediateSize, index + 1)
        let unit = Pass.Unit.ofLayer(index, of: configuration.layerCount)
        let firstSite = reader.sites.count
        let norm = try reader.rmsNorm(
            path + "post_attention_layernorm", width: width, epsilon: configuration.epsilon, depth: depth, unit: unit)
        let mixer = GatedFeedForward(
            gateUp: try reader.linear(
                [path + "mlp.gate_proj", path + "mlp.up_proj"], inputs: width, outputs: [innerSize, innerSize],
                bias: configuration.hasFeedForwardBias, depth: depth, unit: unit),
            down: try reader.linear(
                [path + "mlp.down_proj"], inputs: innerSize, outputs: [width],
                bias: configuration.hasFeedForwardBias, depth: depth, unit: unit),
            activation: configuration.activation, innerSize: innerSize)
        return reader.sublayer(
            .feedForward, path + "mlp", norm: .rms(norm), mixer: mixer, firstSite: firstSite, width: width,
            depth: depth,
            unit: unit)
    }
}
