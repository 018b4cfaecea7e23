import GraftLayers
import GraftTensor

/// The modules of one layer of BERT's formula: attention, feed-forward, and a norm after each.
///
/// They are read once, and `sublayers` puts them together for each layer of the model that has
/// them: one in BERT, several in ALBERT.
struct BertLayer {
    private let projections: QueryKeyValue
    private let attentionOutput: Linear
    private let attention: End
    /// Gate and up, where the feed-forward is gated.
    private let up: Linear
    private let isGated: Bool
    private let down: Linear
    private let feedForward: End

    /// The end of a sub-layer, with the sites that its mixer has and all of them.
    private struct End {
        let branch: Branch
        let norm: LayerNorm
        let innerSites: Range<Int>
        let sites: Range<Int>
    }

    /// - Parameters:
    ///   - number: Which of the checkpoint's layers it is.
    ///   - depth: Of the lowest layer that has them.
    ///   - unit: Of the highest.
    init(
        _ number: Int, _ modules: BertModules, _ configuration: BertConfiguration, depth: Int, unit: Pass.Unit,
        _ reader: inout WeightReader
    ) throws(GraftError) {
        let path = modules.layer(number)
        let (width, innerSize) = (configuration.hiddenSize, configuration.intermediateSize)
        var first = reader.sites.count
        projections = try reader.queryKeyValue(
            modules.queryKeyValue.map { path + $0 }, inputs: width, queryWidth: width, keyWidth: width,
            bias: modules.hasBiases, depth: depth, unit: unit)
        attentionOutput = try reader.linear(
            [path + modules.attentionOutput], inputs: width, outputs: [width], bias: modules.hasBiases, depth: depth,
            unit: unit)
        func end(
            _ kind: Site.Sublayer, _ end: String, _ norm: String, _ reader: inout WeightReader
        ) throws(GraftError) -> End {
            let innerSites = first..<reader.sites.count
            let branch = reader.branch(
                path + end, after: kind, width: width, depth: depth, layer: number, unit: unit)
            let norm = try reader.layerNorm(
                path + norm, width: width, epsilon: configuration.epsilon, depth: depth, unit: unit)
            let sites = first..<reader.sites.count
            first = sites.upperBound
            return End(branch: branch, norm: norm, innerSites: innerSites, sites: sites)
        }
        attention = try end(.attention, modules.attentionEnd, modules.attentionNorm, &reader)
        let ups = [modules.gate, modules.up].compactMap { $0.map { path + $0 } }
        isGated = ups.count > 1
        up = try reader.linear(
            ups, inputs: width, outputs: ups.map { _ in innerSize }, bias: modules.hasBiases, depth: depth, unit: unit)
        down = try reader.linear(
            [path + modules.down], inputs: innerSize, outputs: [width], bias: modules.hasBiases, depth: depth,
            unit: unit)
        feedForward = try end(.feedForward, modules.feedForwardEnd, modules.feedForwardNorm, &reader)
    }

    /// Layer `index` of the model, above `repetition` others that have these modules.
    func sublayers(
        _ index: Int, repetition: Int, _ configuration: BertConfiguration, bias: PositionBias?, _ rotary: Rotary?,
        precision: Precision
    ) -> [Sublayer] {
        let width = configuration.hiddenSize
        let unit = Pass.Unit.ofLayer(index, of: configuration.layerCount)
        func again(_ linear: Linear) -> Linear { linear.repeated(repetition, unit: unit) }
        func sublayer(
            _ mixer: any Mixer, _ end: End, adaptsResidual: Bool = false, dropout: Int, probability: Float
        ) -> Sublayer {
            Sublayer(
                norm: .afterSum(end.norm.with(unit: unit)), mixer: mixer,
                branch: end.branch.repeated(repetition, unit: unit),
                adaptsResidual: adaptsResidual, unit: unit, width: width,
                dropout: Dropout(probability: probability, site: Bert.dropoutSite(index, dropout), unit: unit),
                innerSites: end.innerSites, sites: end.sites)
        }
        let mixer = SelfAttention(
            projections: projections.repeated(repetition, unit: unit), rotary: rotary,
            attention: Attention(
                headCount: configuration.headCount, keyValueHeadCount: configuration.headCount,
                headWidth: width / configuration.headCount, isCausal: false, bias: bias, unit: unit,
                dropoutProbability: configuration.attentionDropout, dropoutSite: Bert.dropoutSite(index, 0),
                precision: precision),
            output: again(attentionOutput), layer: index, unit: unit, width: width, keepsContext: true)
        return [
            sublayer(
                mixer, attention, adaptsResidual: configuration.adaptsResidual, dropout: 1,
                probability: configuration.hiddenDropout),
            sublayer(
                isGated
                    ? GatedFeedForward(
                        gateUp: again(up), down: again(down), activation: configuration.activation,
                        innerSize: configuration.intermediateSize)
                    : FeedForward(
                        up: again(up), down: again(down), activation: configuration.activation,
                        innerSize: configuration.intermediateSize),
                feedForward, dropout: 2, probability: configuration.feedForwardDropout),
        ]
    }
}
