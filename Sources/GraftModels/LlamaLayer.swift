import CGraftKernels
import GraftLayers
import GraftTensor

/// One layer of Llama: x [tokens, hidden] → y [tokens, hidden].
///
///     a = x + W_o attention(rotate(W_q n), rotate(W_k n), W_v n)   where n = RMSNorm(x)
///     y = a + W_down (f(W_gate m) ∘ W_up m)                        where m = RMSNorm(a)
final class LlamaLayer: @unchecked Sendable {
    private let index: Int
    private let inputNorm: RMSNorm
    private let queryKeyValue: Linear
    private let rotary: Rotary
    private let attention: Attention
    private let attentionOutput: Linear
    private let attentionBranch: Branch
    private let attentionNorm: RMSNorm
    private let feedForward: GatedFeedForward
    private let feedForwardBranch: Branch
    private let hiddenSize: Int
    /// Width of all query heads, and of all key (or value) heads.
    private let queryWidth: Int
    private let keyWidth: Int
    /// Sites up to the end of attention, and between that and the end of feed-forward.
    private let attentionSites: Range<Int>
    private let feedForwardSites: Range<Int>

    struct Kept: BitwiseCopyable {
        let inputNorm: RMSNorm.Kept
        let queryKeyValue: Linear.Kept
        let attention: Attention.Kept
        let attentionOutput: Linear.Kept
        let attentionBranch: Branch.Kept
        let attentionNorm: RMSNorm.Kept
        let feedForward: GatedFeedForward.Kept
        let feedForwardBranch: Branch.Kept
    }

    init(
        index: Int, _ configuration: LlamaConfiguration, rotary: Rotary, _ reader: inout WeightReader
    ) throws(GraftError) {
        let path = "layers.\(index)."
        let depth = index + 1
        self.index = index
        self.rotary = rotary
        hiddenSize = configuration.hiddenSize
        queryWidth = configuration.headCount * configuration.headWidth
        keyWidth = configuration.keyValueHeadCount * configuration.headWidth
        let firstSite = reader.sites.count
        inputNorm = try reader.rmsNorm(
            path + "input_layernorm", width: hiddenSize, epsilon: configuration.epsilon, depth: depth)
        queryKeyValue = try reader.linear(
            ["q_proj", "k_proj", "v_proj"].map { path + "self_attn." + $0 }, inputs: hiddenSize,
            outputs: [queryWidth, keyWidth, keyWidth], bias: configuration.hasAttentionBias, depth: depth)
        attention = Attention(
            headCount: configuration.headCount, keyValueHeadCount: configuration.keyValueHeadCount,
            headWidth: configuration.headWidth, isCausal: true, dropoutProbability: configuration.attentionDropout,
            dropoutSite: index, precision: reader.precision)
        attentionOutput = try reader.linear(
            [path + "self_attn.o_proj"], inputs: queryWidth, outputs: [hiddenSize],
            bias: configuration.hasAttentionBias, depth: depth)
        attentionBranch = reader.branch(path + "self_attn", after: .attention, width: hiddenSize, depth: depth)
        attentionSites = firstSite..<reader.sites.count
        attentionNorm = try reader.rmsNorm(
            path + "post_attention_layernorm", width: hiddenSize, epsilon: configuration.epsilon, depth: depth)
        let innerSize = configuration.intermediateSize
        feedForward = GatedFeedForward(
            gateUp: try reader.linear(
                [path + "mlp.gate_proj", path + "mlp.up_proj"], inputs: hiddenSize, outputs: [innerSize, innerSize],
                bias: configuration.hasFeedForwardBias, depth: depth),
            down: try reader.linear(
                [path + "mlp.down_proj"], inputs: innerSize, outputs: [hiddenSize],
                bias: configuration.hasFeedForwardBias, depth: depth),
            activation: configuration.activation, innerSize: innerSize)
        feedForwardSites = attentionSites.upperBound..<reader.sites.count
        feedForwardBranch = reader.branch(path + "mlp", after: .feedForward, width: hiddenSize, depth: depth)
    }

    /// Columns of the joint query, key and value matrix.
    private func split(_ joint: Matrix) -> (q: Matrix, k: Matrix, v: Matrix) {
        (
            joint.columns(from: 0, count: queryWidth), joint.columns(from: queryWidth, count: keyWidth),
            joint.columns(from: queryWidth + keyWidth, count: keyWidth)
        )
    }

    func forward(_ x: Matrix, into y: Matrix, keeps: Bool, pass: Pass) throws(GraftError) -> Kept? {
        let tokens = x.rows
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let arena = pass.arena(keeping: keeps)

        // Of what backward reads, n and attention's context are cheap: it computes them once more.
        let n = try pass.scratch.matrix(rows: tokens, columns: hiddenSize)
        let inputNormKept = try inputNorm.forward(x, into: n, keeps: keeps, pass: pass)
        let joint = try arena.matrix(rows: tokens, columns: queryWidth + 2 * keyWidth)
        let queryKeyValueKept = try queryKeyValue.forward(n, into: joint, keeps: keeps, pass: pass)
        rotary.forward(joint.columns(from: 0, count: queryWidth + keyWidth), pass: pass)
        var (q, k, v) = split(joint)
        if let cache = pass.cache { (k, v) = cache.extend(layer: index, k, v, pass: pass) }
        let context = try pass.arena(keeping: keeps && attentionOutput.readsInput(pass))
            .matrix(rows: tokens, columns: queryWidth)
        let attentionKept = try attention.forward(q: q, k: k, v: v, into: context, keeps: keeps, pass: pass)
        let projected = try pass.scratch.matrix(rows: tokens, columns: hiddenSize)
        let attentionOutputKept = try attentionOutput.forward(context, into: projected, keeps: keeps, pass: pass)
        let attentionBranchKept = try attentionBranch.forward(projected, residual: x, keeps: keeps, pass: pass)

        let a = try arena.matrix(rows: tokens, columns: hiddenSize)
        let m = try pass.arena(keeping: keeps && feedForward.readsInput(pass))
            .matrix(rows: tokens, columns: hiddenSize)
        let attentionNormKept = try attentionNorm.forward(
            projected, adding: (x: x, sum: a), into: m, keeps: keeps, pass: pass)
        let feedForwardKept = try feedForward.forward(m, into: y, keeps: keeps, pass: pass)
        let feedForwardBranchKept = try feedForwardBranch.forward(y, residual: a, keeps: keeps, pass: pass)
        gk_add(pass.team.kernel, Int64(y.count), 1, a.base, y.base)

        guard let inputNormKept, let attentionKept, let attentionNormKept else { return nil }
        return Kept(
            inputNorm: inputNormKept, queryKeyValue: queryKeyValueKept, attention: attentionKept,
            attentionOutput: attentionOutputKept, attentionBranch: attentionBranchKept,
            attentionNorm: attentionNormKept, feedForward: feedForwardKept, feedForwardBranch: feedForwardBranchKept)
    }

    /// Turns d(y) into d(x), in place. Where `needsInput` is false only the adapters' gradients are wanted.
    func backward(_ gradient: Matrix, _ kept: Kept, needsInput: Bool, pass: Pass) throws(GraftError) {
        let tokens = gradient.rows
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let branch = try pass.scratch.matrix(rows: tokens, columns: hiddenSize)

        let dFeedForward = try feedForwardBranch.backward(gradient, kept.feedForwardBranch, using: branch, pass: pass)
        let needsAttention = needsInput || pass.learns(at: attentionSites)
        guard needsAttention || pass.learns(at: feedForwardSites) else { return }
        try feedForward.backward(dFeedForward, kept.feedForward, into: branch, pass: pass)
        attentionNorm.backward(branch, kept.attentionNorm, into: branch, pass: pass)
        gk_add(pass.team.kernel, Int64(gradient.count), 1, branch.base, gradient.base)

        guard needsAttention else { return }
        let dAttention = try attentionBranch.backward(gradient, kept.attentionBranch, using: branch, pass: pass)
        let dContext = try pass.scratch.matrix(rows: tokens, columns: queryWidth)
        try attentionOutput.backward(dAttention, kept.attentionOutput, into: dContext, pass: pass)
        let dJoint = try pass.scratch.matrix(rows: tokens, columns: queryWidth + 2 * keyWidth)
        let (dq, dk, dv) = split(dJoint)
        var attentionKept = kept.attention
        if !attentionOutput.readsInput(pass) {
            let context = try pass.scratch.matrix(rows: tokens, columns: queryWidth)
            attentionKept = try attention.again(kept.attention, into: context, pass: pass)
        }
        attention.backward(dContext, attentionKept, dq: dq, dk: dk, dv: dv, pass: pass)
        rotary.backward(dJoint.columns(from: 0, count: queryWidth + keyWidth), pass: pass)
        let needsNorm = needsInput || inputNorm.learns(pass)
        var queryKeyValueKept = kept.queryKeyValue
        if queryKeyValue.readsInput(pass) {
            let n = try pass.scratch.matrix(rows: tokens, columns: hiddenSize)
            try inputNorm.again(kept.inputNorm, into: n, pass: pass)
            queryKeyValueKept = queryKeyValueKept.reading(n)
        }
        try queryKeyValue.backward(dJoint, queryKeyValueKept, into: needsNorm ? branch : nil, pass: pass)
        guard needsNorm else { return }
        inputNorm.backward(branch, kept.inputNorm, into: branch, pass: pass)
        gk_add(pass.team.kernel, Int64(gradient.count), 1, branch.base, gradient.base)
    }
}
