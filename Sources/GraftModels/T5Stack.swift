import GraftFormats
import GraftLayers
import GraftTensor

/// The encoder or the decoder of a T5.
struct T5Stack {
    private let name: String
    private let isDecoder: Bool
    /// Whether heads read what it makes, not a decoder.
    private let isLast: Bool
    private let layerCount: Int
    private let configuration: T5Configuration
    /// Of the embeddings: see `ModelShape`.
    private let depth: Int
    private let firstDropout: Int
    /// Of the first layer among those of both stacks.
    private let firstLayer: Int

    /// Dropouts of a layer: in and after each attention, in and after the feed-forward.
    private static let dropoutsInLayer = 6

    init(
        _ name: String, _ layerCount: Int, _ configuration: T5Configuration, _ shape: ModelShape, firstDropout: Int
    ) {
        self.name = name
        self.layerCount = layerCount
        self.configuration = configuration
        self.firstDropout = firstDropout
        isDecoder = name == "decoder"
        isLast = isDecoder || configuration.isEncoder
        depth = isDecoder ? shape.firstDepth : 0
        firstLayer = isDecoder ? shape.encoderLayerCount : 0
    }

    /// Dropouts of the model that are this stack's.
    var dropoutCount: Int { 2 + layerCount * Self.dropoutsInLayer }

    private func dropoutSite(_ layer: Int, _ number: Int) -> Int {
        firstDropout + 1 + layer * Self.dropoutsInLayer + number
    }

    /// After the final norm.
    var finalDropout: Dropout {
        Dropout(
            probability: configuration.dropout, site: dropoutSite(layerCount, 0), unit: isLast ? .read : .tokens)
    }

    /// A decoder reads every token of its encoder.
    private func unit(_ layer: Int) -> Pass.Unit { isLast ? .ofLayer(layer, of: layerCount) : .tokens }

    private var width: Int { configuration.hiddenSize }
    private var headsWidth: Int { configuration.headCount * configuration.headWidth }

    func load(
        _ words: Embedding, _ reader: inout WeightReader
    ) throws(GraftError) -> (embeddings: InputEmbeddings, layers: LayerStack, finalNorm: Norm) {
        let bias = try reader.positionBias(
            name + ".block.0.layer.0.SelfAttention.relative_attention_bias", rows: configuration.bucketCount,
            headCount: configuration.headCount, bucketCount: configuration.bucketCount,
            maximumDistance: configuration.maximumDistance, isCausal: isDecoder)
        let embeddings = InputEmbeddings(
            words: words, dropout: Dropout(probability: configuration.dropout, site: firstDropout), depth: depth)
        var layers: [[Sublayer]] = []
        for index in 0..<layerCount {
            var layer = [try selfAttention(index, bias, &reader)]
            if isDecoder { layer.append(try crossAttention(index, &reader)) }
            layer.append(try feedForward(index, &reader))
            layers.append(layer)
        }
        let finalNorm = try reader.rmsNorm(
            name + ".final_layer_norm", width: width, .init(epsilon: configuration.epsilon),
            depth: depth + layerCount, unit: unit(layerCount - 1))
        return (embeddings, LayerStack(layers: layers, depth: depth), .rms(finalNorm))
    }

    private func selfAttention(
        _ index: Int, _ bias: PositionBias, _ reader: inout WeightReader
    ) throws(GraftError) -> Sublayer {
        let (unit, depth) = (unit(index), depth + index + 1)
        return try sublayer(.attention, index, 0, "SelfAttention", dropout: 1, &reader) {
            reader, path throws(GraftError) in
            SelfAttention(
                projections: try reader.queryKeyValue(
                    ["q", "k", "v"].map { path + $0 }, inputs: width, queryWidth: headsWidth, keyWidth: headsWidth,
                    bias: false, depth: depth, unit: unit),
                attention: attention(index, bias: bias, dropout: 0, reader.precision),
                output: try reader.linear(
                    [path + "o"], inputs: headsWidth, outputs: [width], bias: false, depth: depth, unit: unit),
                layer: index, unit: unit, width: headsWidth, keepsContext: true)
        }
    }

    private func crossAttention(_ index: Int, _ reader: inout WeightReader) throws(GraftError) -> Sublayer {
        let (unit, depth) = (unit(index), depth + index + 1)
        return try sublayer(.crossAttention, index, 1, "EncDecAttention", dropout: 3, &reader) {
            reader, path throws(GraftError) in
            CrossAttention(
                query: try reader.linear(
                    [path + "q"], inputs: width, outputs: [headsWidth], bias: false, depth: depth, unit: unit),
                keyValue: try reader.linear(
                    [path + "k", path + "v"], inputs: width, outputs: [headsWidth, headsWidth], bias: false,
                    depth: depth, unit: .source),
                attention: attention(index, readsSource: true, dropout: 2, reader.precision),
                output: try reader.linear(
                    [path + "o"], inputs: headsWidth, outputs: [width], bias: false, depth: depth, unit: unit),
                layer: index, width: headsWidth)
        }
    }

    private func attention(
        _ index: Int, readsSource: Bool = false, bias: PositionBias? = nil, dropout: Int, _ precision: Precision
    ) -> Attention {
        Attention(
            headCount: configuration.headCount, keyValueHeadCount: configuration.headCount,
            headWidth: configuration.headWidth, scale: 1, isCausal: isDecoder && !readsSource,
            readsSource: readsSource, bias: bias, unit: unit(index), dropoutProbability: configuration.dropout,
            dropoutSite: dropoutSite(index, dropout), precision: precision)
    }

    private func feedForward(_ index: Int, _ reader: inout WeightReader) throws(GraftError) -> Sublayer {
        let (unit, depth, innerSize) = (unit(index), depth + index + 1, configuration.innerSize)
        let dropout = Dropout(probability: configuration.dropout, site: dropoutSite(index, 4), unit: unit)
        return try sublayer(.feedForward, index, isDecoder ? 2 : 1, "DenseReluDense", dropout: 5, &reader) {
            reader, path throws(GraftError) in
            let names = configuration.isGated ? ["wi_0", "wi_1"] : ["wi"]
            let up = try reader.linear(
                names.map { path + $0 }, inputs: width, outputs: names.map { _ in innerSize }, bias: false,
                depth: depth, unit: unit)
            let down = try reader.linear(
                [path + "wo"], inputs: innerSize, outputs: [width], bias: false, depth: depth, unit: unit)
            if configuration.isGated {
                return GatedFeedForward(
                    gateUp: up, down: down, activation: configuration.activation, innerSize: innerSize,
                    dropout: dropout)
            }
            return FeedForward(
                up: up, down: down, activation: configuration.activation, innerSize: innerSize,
                dropout: dropout)
        }
    }

    /// A mixer, module `end` of the block's part `part`, with the norm before it.
    private func sublayer(
        _ kind: Site.Sublayer, _ index: Int, _ part: Int, _ end: String, dropout: Int, _ reader: inout WeightReader,
        mixer: (inout WeightReader, _ path: String) throws(GraftError) -> any Mixer
    ) throws(GraftError) -> Sublayer {
        let path = "\(name).block.\(index).layer.\(part)."
        let (unit, depth) = (unit(index), depth + index + 1)
        let firstSite = reader.sites.count
        // The last layer's attention reads the tokens whose keys others ask.
        let norm = try reader.rmsNorm(
            path + "layer_norm", width: width, .init(epsilon: configuration.epsilon), depth: depth,
            unit: kind == .attention ? .tokens : unit)
        return reader.sublayer(
            kind, path + end, before: .rms(norm), mixer: try mixer(&reader, path + end + "."), firstSite: firstSite,
            width: width, depth: depth, layer: firstLayer + index, unit: unit,
            dropout: Dropout(probability: configuration.dropout, site: dropoutSite(index, dropout), unit: unit))
    }
}
