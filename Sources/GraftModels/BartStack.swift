import GraftFormats
import GraftLayers
import GraftTensor

/// The encoder or the decoder of a model whose modules are named as BART's.
struct BartStack {
    private let name: String
    private let isDecoder: Bool
    private let stack: BartConfiguration.Stack
    private let configuration: BartConfiguration
    private let width: Int
    /// Of the embeddings: see `ModelShape`.
    private let depth: Int
    /// Number of the first layer among those of both stacks.
    private let firstLayer: Int
    private let firstDropout: Int

    /// Dropouts of a layer: in and after each attention, in and after the feed-forward.
    private static let dropoutsInLayer = 6

    init(
        _ name: String, _ stack: BartConfiguration.Stack, _ configuration: BartConfiguration, _ shape: ModelShape,
        firstDropout: Int
    ) {
        self.name = name
        self.stack = stack
        self.configuration = configuration
        self.firstDropout = firstDropout
        isDecoder = name == "decoder"
        width = configuration.hiddenSize
        depth = isDecoder ? shape.firstDepth : 0
        firstLayer = isDecoder ? shape.encoderLayerCount : 0
    }

    /// Dropouts of the model that are this stack's.
    var dropoutCount: Int { 1 + stack.layerCount * Self.dropoutsInLayer }

    private func dropoutSite(_ layer: Int, _ number: Int) -> Int {
        firstDropout + 1 + layer * Self.dropoutsInLayer + number
    }

    /// In the encoder every token is read.
    private func unit(_ layer: Int) -> Pass.Unit { isDecoder ? .ofLayer(layer, of: stack.layerCount) : .tokens }

    func load(
        _ words: Embedding, _ reader: inout WeightReader
    ) throws(GraftError) -> (embeddings: InputEmbeddings, layers: LayerStack, finalNorm: Norm?) {
        let (path, length) = (name + ".embed_positions", configuration.maximumLength)
        let numbering = configuration.form.numbering
        let positions =
            if let numbering {
                try reader.embedding(path, rows: length + numbering.firstRow, width: width)
            } else {
                try reader.sinusoidalPositions(path, rows: length, width: width)
            }
        let norm =
            try configuration.form.normsEmbeddings
            ? reader.layerNorm(name + ".layernorm_embedding", width: width, epsilon: Self.epsilon, depth: depth) : nil
        let embeddings = InputEmbeddings(
            words: words, wordScale: configuration.wordScale, positions: positions, numbering: numbering ?? .places,
            norm: norm,
            dropout: Dropout(probability: configuration.dropout, site: firstDropout), depth: depth)
        var layers: [[Sublayer]] = []
        for index in 0..<stack.layerCount {
            var layer = [try selfAttention(index, &reader)]
            if isDecoder { layer.append(try crossAttention(index, &reader)) }
            layer.append(try feedForward(index, &reader))
            layers.append(layer)
        }
        let finalNorm =
            try configuration.form.normsBefore
            ? reader.layerNorm(
                name + ".layer_norm", width: width, epsilon: Self.epsilon, depth: depth + stack.layerCount,
                unit: unit(stack.layerCount - 1)) : nil
        return (embeddings, LayerStack(layers: layers, depth: depth), finalNorm.map(Norm.layer))
    }

    private static let epsilon: Float = 1e-5

    private func selfAttention(_ index: Int, _ reader: inout WeightReader) throws(GraftError) -> Sublayer {
        let path = "\(name).layers.\(index).self_attn."
        let unit = unit(index)
        return try sublayer(.attention, index, end: "self_attn", norm: "self_attn_layer_norm", dropout: 1, &reader) {
            reader throws(GraftError) in
            SelfAttention(
                projections: try reader.queryKeyValue(
                    ["q_proj", "k_proj", "v_proj"].map { path + $0 }, inputs: width, queryWidth: width,
                    keyWidth: width, depth: depth + index + 1, unit: unit),
                attention: attention(index, dropout: 0, reader.precision),
                output: try reader.linear(
                    [path + "out_proj"], inputs: width, outputs: [width], depth: depth + index + 1, unit: unit),
                layer: index, unit: unit, width: width, keepsContext: true)
        }
    }

    private func crossAttention(_ index: Int, _ reader: inout WeightReader) throws(GraftError) -> Sublayer {
        let path = "\(name).layers.\(index).encoder_attn."
        let (unit, depth) = (unit(index), depth + index + 1)
        return try sublayer(
            .crossAttention, index, end: "encoder_attn", norm: "encoder_attn_layer_norm", dropout: 3, &reader
        ) { reader throws(GraftError) in
            CrossAttention(
                query: try reader.linear(
                    [path + "q_proj"], inputs: width, outputs: [width], depth: depth, unit: unit),
                keyValue: try reader.linear(
                    [path + "k_proj", path + "v_proj"], inputs: width, outputs: [width, width], depth: depth,
                    unit: .source),
                attention: attention(index, readsSource: true, dropout: 2, reader.precision),
                output: try reader.linear(
                    [path + "out_proj"], inputs: width, outputs: [width], depth: depth, unit: unit),
                layer: index, width: width)
        }
    }

    private func attention(
        _ index: Int, readsSource: Bool = false, dropout: Int, _ precision: Precision
    ) -> Attention {
        Attention(
            headCount: stack.headCount, keyValueHeadCount: stack.headCount, headWidth: width / stack.headCount,
            isCausal: isDecoder && !readsSource, readsSource: readsSource, unit: unit(index),
            dropoutProbability: configuration.attentionDropout, dropoutSite: dropoutSite(index, dropout),
            precision: precision)
    }

    private func feedForward(_ index: Int, _ reader: inout WeightReader) throws(GraftError) -> Sublayer {
        let path = "\(name).layers.\(index)."
        let (unit, depth, innerSize) = (unit(index), depth + index + 1, stack.innerSize)
        return try sublayer(.feedForward, index, end: "fc2", norm: "final_layer_norm", dropout: 5, &reader) {
            reader throws(GraftError) in
            FeedForward(
                up: try reader.linear(
                    [path + "fc1"], inputs: width, outputs: [innerSize], depth: depth, unit: unit),
                down: try reader.linear(
                    [path + "fc2"], inputs: innerSize, outputs: [width], depth: depth, unit: unit),
                activation: configuration.activation, innerSize: innerSize,
                dropout: Dropout(
                    probability: configuration.activationDropout, site: dropoutSite(index, 4), unit: unit))
        }
    }

    /// A mixer with the norm before it, or after the sum.
    private func sublayer(
        _ kind: Site.Sublayer, _ index: Int, end: String, norm: String, dropout: Int, _ reader: inout WeightReader,
        mixer: (inout WeightReader) throws(GraftError) -> any Mixer
    ) throws(GraftError) -> Sublayer {
        let path = "\(name).layers.\(index)."
        let (unit, depth) = (unit(index), depth + index + 1)
        let firstSite = reader.sites.count
        let dropout = Dropout(probability: configuration.dropout, site: dropoutSite(index, dropout), unit: unit)
        if configuration.form.normsBefore {
            // The last layer's attention reads the tokens whose keys others ask.
            let norm = try reader.layerNorm(
                path + norm, width: width, epsilon: Self.epsilon, depth: depth,
                unit: kind == .attention ? .tokens : unit)
            return reader.sublayer(
                kind, path + end, before: .layer(norm), mixer: try mixer(&reader), firstSite: firstSite, width: width,
                depth: depth, layer: firstLayer + index, unit: unit, dropout: dropout)
        }
        let mixer = try mixer(&reader)
        let innerSites = firstSite..<reader.sites.count
        let branch = reader.branch(
            path + end, after: kind, width: width, depth: depth, layer: firstLayer + index, unit: unit)
        let norm = try reader.layerNorm(path + norm, width: width, epsilon: Self.epsilon, depth: depth, unit: unit)
        return Sublayer(
            norm: .afterSum(norm), mixer: mixer, branch: branch, unit: unit, width: width,
            dropout: dropout, innerSites: innerSites, sites: firstSite..<reader.sites.count)
    }
}
