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
enum Llama: LlamaKin {
    static let conventions = Conventions(
        architecture: "llama", backbone: "model", answerBackbone: "transformer", headPath: "score", headHasBias: false,
        summaryToken: .last,
        defaultTargets: ["lora": ["q_proj", "v_proj"], "ia3": ["k_proj", "v_proj", "down_proj"]],
        feedForwardModules: ["down_proj"], className: "Llama",
        adapterHolders: [.attention: "attention_adapters", .feedForward: "output_adapters"])

    static let variant = LlamaConfiguration.Variant()

    /// For its kin, too.
    static func load(
        _ folder: any TensorSource, _ conventions: Conventions, _ configuration: LlamaConfiguration,
        precision: Precision, team: Team
    ) throws(GraftError) -> Model {
        let hidden = configuration.hiddenSize
        let prefix = conventions.prefix(folder.hasTensors)
        var reader = WeightReader(folder: folder, precision: precision, team: team, prefix: prefix)
        let shape = ModelShape(
            layerCount: configuration.layerCount, hiddenSize: hidden, vocabularySize: configuration.vocabularySize,
            typeCount: 0, maximumLength: configuration.maximumLength, textBorders: configuration.textBorders,
            headCount: configuration.headCount,
            keyWidth: configuration.keyValueHeadCount * configuration.headWidth,
            keyHeadCount: configuration.keyValueHeadCount)
        let tables = try VocabularyTables(folder, words: prefix + "embed_tokens", areTied: configuration.tiesEmbeddings)
        let wordSite = reader.sites.count
        let scale = configuration.scalesEmbeddings ? precision.rounded(Float(Double(hidden).squareRoot())) : 1
        let words = try reader.embedding(
            "embed_tokens", rows: configuration.vocabularySize, width: hidden, scale: scale,
            frozenRow: configuration.paddingRow, storedAs: tables.words)
        let rotary = try rotary(configuration)
        var layers: [[Sublayer]] = []
        for index in 0..<configuration.layerCount {
            layers.append([
                try attention(index, configuration, rotary[index], &reader),
                try feedForward(index, configuration, &reader),
            ])
        }
        let finalNorm = try reader.rmsNorm(
            "norm", width: hidden, configuration.norm, depth: configuration.layerCount, unit: .read)
        let baseHead = try reader.classifier(conventions, labels: configuration.labels, shape)
        let languageHead = try reader.languageHead(shape, tables)
        return Model(
            conventions, shape: shape,
            embeddings: InputEmbeddings(words: tables.shared(words, with: languageHead), wordScale: scale),
            layers: LayerStack(layers: layers), finalNorm: .rms(finalNorm),
            summaryToken: configuration.paddingToken.map { .lastExcept($0) }, baseHead: baseHead,
            problem: configuration.problem, languageHead: languageHead,
            logitSoftCap: configuration.logitSoftCap,
            vocabulary: tables.sites(words: wordSite, head: languageHead),
            endTokens: try GenerationConfiguration(folder).endTokens(usual: configuration.endToken),
            tokenHeadDropout: configuration.tokenHeadDropout, initializerRange: configuration.initializerRange,
            sites: reader.sites, source: reader.source(shape))
    }

    /// Of each layer; layers that turn alike share one.
    private static func rotary(_ configuration: LlamaConfiguration) throws(GraftError) -> [Rotary?] {
        var made: [(settings: RotarySettings, rotary: Rotary)] = []
        var ofLayers: [Rotary?] = []
        for settings in configuration.rotary {
            guard let settings else {
                ofLayers.append(nil)
                continue
            }
            if let known = made.first(where: { $0.settings == settings }) {
                ofLayers.append(known.rotary)
                continue
            }
            let rotary = try Rotary(
                headWidth: configuration.headWidth, turnedWidth: settings.turnedWidth(of: configuration.headWidth),
                base: settings.base, scaling: settings.scaling)
            made.append((settings, rotary))
            ofLayers.append(rotary)
        }
        return ofLayers
    }

    /// A norm in a branch, of tokens of `unit`; nil where the architecture has none there.
    private static func norm(
        _ name: String?, _ index: Int, _ configuration: LlamaConfiguration, unit: Pass.Unit = .tokens,
        _ reader: inout WeightReader
    ) throws(GraftError) -> Norm? {
        guard let name else { return nil }
        return .rms(
            try reader.rmsNorm(
                "layers.\(index).\(name)", width: configuration.hiddenSize, configuration.norm, depth: index + 1,
                unit: unit))
    }

    private static func attention(
        _ index: Int, _ configuration: LlamaConfiguration, _ rotary: Rotary?, _ reader: inout WeightReader
    ) throws(GraftError) -> Sublayer {
        let path = "layers.\(index)."
        let (width, depth) = (configuration.hiddenSize, index + 1)
        let unit = Pass.Unit.ofLayer(index, of: configuration.layerCount)
        let queryWidth = configuration.headCount * configuration.headWidth
        let firstSite = reader.sites.count
        let norms = configuration.branchNorms
        let before = try norm(norms.beforeAttention, index, configuration, &reader)
        let mixer = SelfAttention(
            projections: try projections(path + "self_attn.", configuration, depth: depth, unit: unit, &reader),
            norms: try headNorms(path + "self_attn.", configuration, depth: depth, unit: unit, &reader),
            rotary: rotary,
            attention: Attention(
                headCount: configuration.headCount, keyValueHeadCount: configuration.keyValueHeadCount,
                headWidth: configuration.headWidth, scale: configuration.attentionScale,
                softCap: configuration.attentionSoftCap, isCausal: true,
                window: configuration.windows[index], unit: unit,
                dropoutProbability: configuration.attentionDropout, dropoutSite: index, precision: reader.precision),
            output: try reader.linear(
                [path + "self_attn.o_proj"], inputs: queryWidth, outputs: [width],
                bias: configuration.hasOutputBias, depth: depth, unit: unit),
            layer: index, unit: unit, width: queryWidth, keepsContext: false)
        let after = try norm(norms.afterAttention, index, configuration, unit: unit, &reader)
        return reader.sublayer(
            .attention, path + "self_attn", before: before, after: after, mixer: mixer, firstSite: firstSite,
            width: width, depth: depth, unit: unit,
            dropout: configuration.residualDropout(2 * index, unit: unit))
    }

    private static func projections(
        _ path: String, _ configuration: LlamaConfiguration, depth: Int, unit: Pass.Unit, _ reader: inout WeightReader
    ) throws(GraftError) -> QueryKeyValue {
        let (width, bias) = (configuration.hiddenSize, configuration.hasQueryKeyValueBias)
        let queryWidth = configuration.headCount * configuration.headWidth
        let keyWidth = configuration.keyValueHeadCount * configuration.headWidth
        guard configuration.joinsProjections else {
            return try reader.queryKeyValue(
                ["q_proj", "k_proj", "v_proj"].map { path + $0 }, inputs: width, queryWidth: queryWidth,
                keyWidth: keyWidth, bias: bias, depth: depth, unit: unit)
        }
        let joint = try reader.linear(
            [path + "qkv_proj"], inputs: width, outputs: [queryWidth + 2 * keyWidth], bias: bias, depth: depth)
        return QueryKeyValue(together: joint, unit: unit, queryWidth: queryWidth, keyWidth: keyWidth)
    }

    private static func headNorms(
        _ path: String, _ configuration: LlamaConfiguration, depth: Int, unit: Pass.Unit, _ reader: inout WeightReader
    ) throws(GraftError) -> HeadNorms? {
        var (queries, keys) = (configuration.headCount, configuration.keyValueHeadCount)
        let (width, settings) = (configuration.headWidth, configuration.norm)
        var (queryWidth, keyWidth) = (width, width)
        switch configuration.queryKeyNorms {
        case .none: return nil
        case .ofEachHead: break
        case .ofAllHeads: (queryWidth, keyWidth, queries, keys) = (queries * width, keys * width, 1, 1)
        }
        return HeadNorms(
            query: try reader.rmsNorm(
                path + "q_norm", width: queryWidth, headCount: queries, settings, depth: depth, unit: unit),
            key: try reader.rmsNorm(path + "k_norm", width: keyWidth, headCount: keys, settings, depth: depth))
    }

    private static func feedForward(
        _ index: Int, _ configuration: LlamaConfiguration, _ reader: inout WeightReader
    ) throws(GraftError) -> Sublayer {
        let path = "layers.\(index)."
        let (width, innerSize, depth) = (configuration.hiddenSize, configuration.intermediateSize, index + 1)
        let unit = Pass.Unit.ofLayer(index, of: configuration.layerCount)
        let firstSite = reader.sites.count
        let norms = configuration.branchNorms
        let before = try norm(norms.beforeFeedForward, index, configuration, unit: unit, &reader)
        let joins = configuration.joinsProjections
        let mixer = GatedFeedForward(
            gateUp: try reader.linear(
                (joins ? ["gate_up_proj"] : ["gate_proj", "up_proj"]).map { path + "mlp." + $0 }, inputs: width,
                outputs: joins ? [2 * innerSize] : [innerSize, innerSize], bias: configuration.hasFeedForwardBias,
                depth: depth, unit: unit),
            down: try reader.linear(
                [path + "mlp.down_proj"], inputs: innerSize, outputs: [width],
                bias: configuration.hasFeedForwardBias, depth: depth, unit: unit),
            activation: configuration.activation, innerSize: innerSize)
        let after = try norm(norms.afterFeedForward, index, configuration, unit: unit, &reader)
        return reader.sublayer(
            .feedForward, path + "mlp", before: before, after: after, mixer: mixer, firstSite: firstSite,
            width: width, depth: depth, unit: unit,
            dropout: configuration.residualDropout(2 * index + 1, unit: unit))
    }
}
