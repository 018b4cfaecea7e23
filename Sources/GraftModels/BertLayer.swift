import CGraftKernels
import GraftLayers
import GraftTensor

/// One layer of BERT: x [tokens, hidden] → y [m, hidden], where m is the tokens, or in the last layer those that are read.
///
///     a = LayerNorm(x + dropout(W_o attention(W_q x, W_k x, W_v x)))
///     y = LayerNorm(a + dropout(W_2 f(W_1 a)))
///
/// Each sum with its norm is a `ResidualNorm`.
final class BertLayer: StackedLayer, @unchecked Sendable {
    /// Of queries and all that comes of them.
    let unit: Pass.Unit
    private let queryKeyValue: QueryKeyValue
    private let attention: Attention
    private let attentionOutput: Linear
    private let attentionSum: ResidualNorm
    private let intermediate: Linear
    private let output: Linear
    private let outputSum: ResidualNorm
    private let activation: Activation
    private let hiddenSize: Int
    private let intermediateSize: Int
    /// Sites up to the sum after attention, and between that and the sum after feed-forward.
    private let attentionSites: Range<Int>
    private let feedForwardSites: Range<Int>

    struct Kept: BitwiseCopyable {
        let queryKeyValue: QueryKeyValue.Kept
        let attention: Attention.Kept
        let attentionOutput: Linear.Kept
        let attentionSum: ResidualNorm.Kept
        let intermediate: Linear.Kept
        let beforeActivation: Matrix
        let output: Linear.Kept
        let outputSum: ResidualNorm.Kept
    }

    init(index: Int, _ configuration: BertConfiguration, _ reader: inout WeightReader) throws(GraftError) {
        let path = "encoder.layer.\(index)."
        let depth = index + 1
        hiddenSize = configuration.hiddenSize
        intermediateSize = configuration.intermediateSize
        let unit: Pass.Unit = index + 1 < configuration.layerCount ? .tokens : .read
        self.unit = unit
        activation = configuration.activation
        // This layer's three dropouts: attention, after attention, after feed-forward. The embeddings have 0.
        let firstDropout = 1 + index * 3
        let firstSite = reader.sites.count
        queryKeyValue = try reader.queryKeyValue(
            ["query", "key", "value"].map { path + "attention.self." + $0 }, inputs: hiddenSize,
            queryWidth: hiddenSize, keyWidth: hiddenSize, depth: depth, unit: unit)
        attention = Attention(
            headCount: configuration.headCount, keyValueHeadCount: configuration.headCount,
            headWidth: hiddenSize / configuration.headCount, isCausal: false, unit: unit,
            dropoutProbability: configuration.attentionDropout, dropoutSite: firstDropout,
            precision: reader.precision)
        attentionOutput = try reader.linear(
            [path + "attention.output.dense"], inputs: hiddenSize, outputs: [hiddenSize], depth: depth, unit: unit)
        attentionSum = ResidualNorm(
            branch: reader.branch(
                path + "attention.output", after: .attention, width: hiddenSize, depth: depth, unit: unit),
            norm: try reader.layerNorm(
                path + "attention.output.LayerNorm", width: hiddenSize, epsilon: configuration.epsilon, depth: depth,
                unit: unit),
            unit: unit, width: hiddenSize, dropoutProbability: configuration.hiddenDropout,
            dropoutSite: firstDropout + 1)
        attentionSites = firstSite..<reader.sites.count
        intermediate = try reader.linear(
            [path + "intermediate.dense"], inputs: hiddenSize, outputs: [intermediateSize], depth: depth, unit: unit)
        output = try reader.linear(
            [path + "output.dense"], inputs: intermediateSize, outputs: [hiddenSize], depth: depth, unit: unit)
        feedForwardSites = attentionSites.upperBound..<reader.sites.count
        outputSum = ResidualNorm(
            branch: reader.branch(
                path + "output", after: .feedForward, width: hiddenSize, depth: depth, unit: unit),
            norm: try reader.layerNorm(
                path + "output.LayerNorm", width: hiddenSize, epsilon: configuration.epsilon, depth: depth, unit: unit),
            unit: unit, width: hiddenSize, dropoutProbability: configuration.hiddenDropout,
            dropoutSite: firstDropout + 2)
    }

    func forward(_ x: Matrix, into y: Matrix, keeps: Bool, pass: Pass) throws(GraftError) -> Kept? {
        let count = pass.count(unit)
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let arena = pass.arena(keeping: keeps)

        let parts = try queryKeyValue.make(in: arena, pass: pass)
        let queryKeyValueKept = try queryKeyValue.forward(x, into: parts, keeps: keeps, pass: pass)
        let context = try arena.matrix(rows: count, columns: hiddenSize)
        let attentionKept = try attention.forward(
            q: parts.q, k: parts.k, v: parts.v, into: context, keeps: keeps, pass: pass)

        let projected = try pass.scratch.matrix(rows: count, columns: hiddenSize)
        let residual = try pass.select(x, unit, in: arena)
        let attentionOutputKept = try attentionOutput.forward(context, into: projected, keeps: keeps, pass: pass)
        let a = try arena.matrix(rows: count, columns: hiddenSize)
        let attentionSumKept = try attentionSum.forward(
            projected, residual: residual, into: a, keeps: keeps, pass: pass)

        let beforeActivation = keeps ? try pass.kept.matrix(rows: count, columns: intermediateSize) : nil
        let inner = try pass.arena(keeping: keeps && output.readsInput(pass))
            .matrix(rows: count, columns: intermediateSize)
        let intermediateKept = try intermediate.forward(
            a, into: inner, activation: activation, beforeActivation: beforeActivation, keeps: keeps, pass: pass)
        let outputKept = try output.forward(inner, into: projected, keeps: keeps, pass: pass)
        let outputSumKept = try outputSum.forward(projected, residual: a, into: y, keeps: keeps, pass: pass)

        guard let attentionKept, let attentionSumKept, let beforeActivation, let outputSumKept else { return nil }
        return Kept(
            queryKeyValue: queryKeyValueKept, attention: attentionKept, attentionOutput: attentionOutputKept,
            attentionSum: attentionSumKept, intermediate: intermediateKept, beforeActivation: beforeActivation,
            output: outputKept, outputSum: outputSumKept)
    }

    func backward(_ gradient: Matrix, _ kept: Kept, into dx: Matrix?, pass: Pass) throws(GraftError) {
        let count = gradient.rows
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let spare = try pass.scratch.matrix(rows: count, columns: hiddenSize)

        var branch = try outputSum.backward(gradient, kept.outputSum, using: spare, pass: pass)
        let needsAttention = dx != nil || pass.learns(at: attentionSites)
        guard needsAttention || pass.learns(at: feedForwardSites) else { return }
        let dInner = try pass.scratch.matrix(rows: count, columns: intermediateSize)
        try output.backward(branch, kept.output, into: dInner, pass: pass)
        gk_activation_backward(
            pass.team.kernel, activation.kernel, Int64(dInner.count), kept.beforeActivation.base, dInner.base,
            dInner.base)
        try intermediate.backward(
            dInner, kept.intermediate, into: needsAttention ? gradient : nil, accumulate: true, pass: pass)
        guard needsAttention else { return }

        branch = try attentionSum.backward(gradient, kept.attentionSum, using: spare, pass: pass)
        let dContext = try pass.scratch.matrix(rows: count, columns: hiddenSize)
        try attentionOutput.backward(branch, kept.attentionOutput, into: dContext, pass: pass)
        let parts = try queryKeyValue.make(in: pass.scratch, pass: pass)
        attention.backward(dContext, kept.attention, dq: parts.q, dk: parts.k, dv: parts.v, pass: pass)
        if let dx { pass.selectBackward(gradient, unit, into: dx) }
        try queryKeyValue.backward(parts, kept.queryKeyValue, into: dx, accumulate: true, pass: pass)
    }
}
