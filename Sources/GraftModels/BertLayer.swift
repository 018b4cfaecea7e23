import CGraftKernels
import GraftLayers
import GraftTensor

/// One layer of BERT: x [tokens, hidden] → y [tokens, hidden].
///
///     a = LayerNorm(x + dropout(W_o attention(W_q x, W_k x, W_v x)))
///     y = LayerNorm(a + dropout(W_2 f(W_1 a)))
///
/// Each sum with its norm is a `ResidualNorm`.
final class BertLayer: @unchecked Sendable {
    private let queryKeyValue: Linear
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
        let queryKeyValue: Linear.Kept
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
        activation = configuration.activation
        // This layer's three dropouts: attention, after attention, after feed-forward. The embeddings have 0.
        let firstDropout = 1 + index * 3
        let firstSite = reader.sites.count
        queryKeyValue = try reader.linear(
            ["query", "key", "value"].map { path + "attention.self." + $0 }, inputs: hiddenSize,
            outputs: [hiddenSize, hiddenSize, hiddenSize], depth: depth)
        attention = Attention(
            headCount: configuration.headCount, keyValueHeadCount: configuration.headCount,
            headWidth: hiddenSize / configuration.headCount, isCausal: false,
            dropoutProbability: configuration.attentionDropout, dropoutSite: firstDropout,
            precision: reader.precision)
        attentionOutput = try reader.linear(
            [path + "attention.output.dense"], inputs: hiddenSize, outputs: [hiddenSize], depth: depth)
        attentionSum = ResidualNorm(
            branch: reader.branch(path + "attention.output", after: .attention, width: hiddenSize, depth: depth),
            norm: try reader.layerNorm(
                path + "attention.output.LayerNorm", width: hiddenSize, epsilon: configuration.epsilon, depth: depth),
            width: hiddenSize, dropoutProbability: configuration.hiddenDropout, dropoutSite: firstDropout + 1)
        attentionSites = firstSite..<reader.sites.count
        intermediate = try reader.linear(
            [path + "intermediate.dense"], inputs: hiddenSize, outputs: [intermediateSize], depth: depth)
        output = try reader.linear(
            [path + "output.dense"], inputs: intermediateSize, outputs: [hiddenSize], depth: depth)
        feedForwardSites = attentionSites.upperBound..<reader.sites.count
        outputSum = ResidualNorm(
            branch: reader.branch(path + "output", after: .feedForward, width: hiddenSize, depth: depth),
            norm: try reader.layerNorm(
                path + "output.LayerNorm", width: hiddenSize, epsilon: configuration.epsilon, depth: depth),
            width: hiddenSize, dropoutProbability: configuration.hiddenDropout, dropoutSite: firstDropout + 2)
    }

    /// Columns of the joint query, key and value matrix.
    private func split(_ joint: Matrix) -> (q: Matrix, k: Matrix, v: Matrix) {
        (
            joint.columns(from: 0, count: hiddenSize), joint.columns(from: hiddenSize, count: hiddenSize),
            joint.columns(from: 2 * hiddenSize, count: hiddenSize)
        )
    }

    func forward(_ x: Matrix, into y: Matrix, keeps: Bool, pass: Pass) throws(GraftError) -> Kept? {
        let tokens = x.rows
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let arena = pass.arena(keeping: keeps)

        let joint = try arena.matrix(rows: tokens, columns: 3 * hiddenSize)
        let queryKeyValueKept = try queryKeyValue.forward(x, into: joint, keeps: keeps, pass: pass)
        let context = try arena.matrix(rows: tokens, columns: hiddenSize)
        let (q, k, v) = split(joint)
        let attentionKept = try attention.forward(q: q, k: k, v: v, into: context, keeps: keeps, pass: pass)

        let projected = try pass.scratch.matrix(rows: tokens, columns: hiddenSize)
        let attentionOutputKept = try attentionOutput.forward(context, into: projected, keeps: keeps, pass: pass)
        let a = try arena.matrix(rows: tokens, columns: hiddenSize)
        let attentionSumKept = try attentionSum.forward(projected, residual: x, into: a, keeps: keeps, pass: pass)

        let beforeActivation = keeps ? try pass.kept.matrix(rows: tokens, columns: intermediateSize) : nil
        let inner = try pass.arena(keeping: keeps && output.readsInput(pass))
            .matrix(rows: tokens, columns: intermediateSize)
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

    /// Turns d(y) into d(x), in place. Where `needsInput` is false only the adapters' gradients are wanted.
    func backward(_ gradient: Matrix, _ kept: Kept, needsInput: Bool, pass: Pass) throws(GraftError) {
        let tokens = gradient.rows
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let spare = try pass.scratch.matrix(rows: tokens, columns: hiddenSize)

        var branch = try outputSum.backward(gradient, kept.outputSum, using: spare, pass: pass)
        let needsAttention = needsInput || pass.learns(at: attentionSites)
        guard needsAttention || pass.learns(at: feedForwardSites) else { return }
        let dInner = try pass.scratch.matrix(rows: tokens, columns: intermediateSize)
        try output.backward(branch, kept.output, into: dInner, pass: pass)
        gk_activation_backward(
            pass.team.kernel, activation.kernel, Int64(dInner.count), kept.beforeActivation.base, dInner.base,
            dInner.base)
        try intermediate.backward(
            dInner, kept.intermediate, into: needsAttention ? gradient : nil, accumulate: true, pass: pass)
        guard needsAttention else { return }

        branch = try attentionSum.backward(gradient, kept.attentionSum, using: spare, pass: pass)
        let dContext = try pass.scratch.matrix(rows: tokens, columns: hiddenSize)
        try attentionOutput.backward(branch, kept.attentionOutput, into: dContext, pass: pass)
        let dJoint = try pass.scratch.matrix(rows: tokens, columns: 3 * hiddenSize)
        let (dq, dk, dv) = split(dJoint)
        attention.backward(dContext, kept.attention, dq: dq, dk: dk, dv: dv, pass: pass)
        try queryKeyValue.backward(
            dJoint, kept.queryKeyValue, into: needsInput ? gradient : nil, accumulate: true, pass: pass)
    }
}
