import CGraftKernels
import GraftLayers
import GraftTensor

/// One layer of Llama: x [tokens, hidden] → y [m, hidden], where m is the tokens, or in the last layer those that are read.
///
///     a = x + W_o attention(rotate(W_q n), rotate(W_k n), W_v n)   where n = RMSNorm(x)
///     y = a + W_down (f(W_gate m) ∘ W_up m)                        where m = RMSNorm(a)
final class LlamaLayer: StackedLayer, @unchecked Sendable {
    private let index: Int
    /// Of queries and all that comes of them.
    let unit: Pass.Unit
    private let inputNorm: RMSNorm
    private let queryKeyValue: QueryKeyValue
    private let rotary: Rotary
    private let attention: Attention
    private let attentionOutput: Linear
    private let attentionBranch: Branch
    private let attentionNorm: RMSNorm
    private let feedForward: GatedFeedForward
    private let feedForwardBranch: Branch
    private let hiddenSize: Int
    /// Width of all query heads.
    private let queryWidth: Int
    /// Sites up to the end of attention, and between that and the end of feed-forward.
    private let attentionSites: Range<Int>
    private let feedForwardSites: Range<Int>

    struct Kept: BitwiseCopyable {
        let inputNorm: RMSNorm.Kept
        let queryKeyValue: QueryKeyValue.Kept
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
        let unit: Pass.Unit = index + 1 < configuration.layerCount ? .tokens : .read
        self.unit = unit
        let firstSite = reader.sites.count
        inputNorm = try reader.rmsNorm(
            path + "input_layernorm", width: hiddenSize, epsilon: configuration.epsilon, depth: depth)
        queryKeyValue = try reader.queryKeyValue(
            ["q_proj", "k_proj", "v_proj"].map { path + "self_attn." + $0 }, inputs: hiddenSize,
            queryWidth: queryWidth, keyWidth: configuration.keyValueHeadCount * configuration.headWidth,
            bias: configuration.hasAttentionBias, depth: depth, unit: unit)
        attention = Attention(
            headCount: configuration.headCount, keyValueHeadCount: configuration.keyValueHeadCount,
            headWidth: configuration.headWidth, isCausal: true, unit: unit,
            dropoutProbability: configuration.attentionDropout, dropoutSite: index, precision: reader.precision)
        attentionOutput = try reader.linear(
            [path + "self_attn.o_proj"], inputs: queryWidth, outputs: [hiddenSize],
            bias: configuration.hasAttentionBias, depth: depth, unit: unit)
        attentionBranch = reader.branch(
            path + "self_attn", after: .attention, width: hiddenSize, depth: depth, unit: unit)
        attentionSites = firstSite..<reader.sites.count
        attentionNorm = try reader.rmsNorm(
            path + "post_attention_layernorm", width: hiddenSize, epsilon: configuration.epsilon, depth: depth,
            unit: unit)
        let innerSize = configuration.intermediateSize
        feedForward = GatedFeedForward(
            gateUp: try reader.linear(
                [path + "mlp.gate_proj", path + "mlp.up_proj"], inputs: hiddenSize, outputs: [innerSize, innerSize],
                bias: configuration.hasFeedForwardBias, depth: depth, unit: unit),
            down: try reader.linear(
                [path + "mlp.down_proj"], inputs: innerSize, outputs: [hiddenSize],
                bias: configuration.hasFeedForwardBias, depth: depth, unit: unit),
            activation: configuration.activation, innerSize: innerSize)
        feedForwardSites = attentionSites.upperBound..<reader.sites.count
        feedForwardBranch = reader.branch(
            path + "mlp", after: .feedForward, width: hiddenSize, depth: depth, unit: unit)
    }

    func forward(_ x: Matrix, into y: Matrix, keeps: Bool, pass: Pass) throws(GraftError) -> Kept? {
        let count = pass.count(unit)
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let arena = pass.arena(keeping: keeps)

        // Of what backward reads, n and attention's context are cheap: it computes them once more.
        let n = try pass.scratch.matrix(rows: x.rows, columns: hiddenSize)
        let inputNormKept = try inputNorm.forward(x, into: n, keeps: keeps, pass: pass)
        let parts = try queryKeyValue.make(in: arena, pass: pass)
        let queryKeyValueKept = try queryKeyValue.forward(n, into: parts, keeps: keeps, pass: pass)
        rotary.forward(parts.q, unit: unit, pass: pass)
        rotary.forward(parts.k, unit: .tokens, pass: pass)
        let (k, v) = pass.cache?.extend(layer: index, parts.k, parts.v, pass: pass) ?? (parts.k, parts.v)
        let context = try pass.arena(keeping: keeps && attentionOutput.readsInput(pass))
            .matrix(rows: count, columns: queryWidth)
        let attentionKept = try attention.forward(q: parts.q, k: k, v: v, into: context, keeps: keeps, pass: pass)
        let projected = try pass.scratch.matrix(rows: count, columns: hiddenSize)
        let residual = try pass.select(x, unit, in: arena)
        let attentionOutputKept = try attentionOutput.forward(context, into: projected, keeps: keeps, pass: pass)
        let attentionBranchKept = try attentionBranch.forward(projected, residual: residual, keeps: keeps, pass: pass)

        let a = try arena.matrix(rows: count, columns: hiddenSize)
        let m = try pass.arena(keeping: keeps && feedForward.readsInput(pass))
            .matrix(rows: count, columns: hiddenSize)
        let attentionNormKept = try attentionNorm.forward(
            projected, adding: (x: residual, sum: a), into: m, keeps: keeps, pass: pass)
        let feedForwardKept = try feedForward.forward(m, into: y, keeps: keeps, pass: pass)
        let feedForwardBranchKept = try feedForwardBranch.forward(y, residual: a, keeps: keeps, pass: pass)
        gk_add(pass.team.kernel, Int64(y.count), 1, a.base, y.base)

        guard let inputNormKept, let attentionKept, let attentionNormKept else { return nil }
        return Kept(
            inputNorm: inputNormKept, queryKeyValue: queryKeyValueKept, attention: attentionKept,
            attentionOutput: attentionOutputKept, attentionBranch: attentionBranchKept,
            attentionNorm: attentionNormKept, feedForward: feedForwardKept, feedForwardBranch: feedForwardBranchKept)
    }

    func backward(_ gradient: Matrix, _ kept: Kept, into dx: Matrix?, pass: Pass) throws(GraftError) {
        let count = gradient.rows
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let branch = try pass.scratch.matrix(rows: count, columns: hiddenSize)

        let dFeedForward = try feedForwardBranch.backward(gradient, kept.feedForwardBranch, using: branch, pass: pass)
        let needsAttention = dx != nil || pass.learns(at: attentionSites)
        guard needsAttention || pass.learns(at: feedForwardSites) else { return }
        try feedForward.backward(dFeedForward, kept.feedForward, into: branch, pass: pass)
        attentionNorm.backward(branch, kept.attentionNorm, into: branch, pass: pass)
        gk_add(pass.team.kernel, Int64(gradient.count), 1, branch.base, gradient.base)

        guard needsAttention else { return }
        let dAttention = try attentionBranch.backward(gradient, kept.attentionBranch, using: branch, pass: pass)
        let dContext = try pass.scratch.matrix(rows: count, columns: queryWidth)
        try attentionOutput.backward(dAttention, kept.attentionOutput, into: dContext, pass: pass)
        let parts = try queryKeyValue.make(in: pass.scratch, pass: pass)
        var attentionKept = kept.attention
        if !attentionOutput.readsInput(pass) {
            let context = try pass.scratch.matrix(rows: count, columns: queryWidth)
            attentionKept = try attention.again(kept.attention, into: context, pass: pass)
        }
        attention.backward(dContext, attentionKept, dq: parts.q, dk: parts.k, dv: parts.v, pass: pass)
        rotary.backward(parts.q, unit: unit, pass: pass)
        rotary.backward(parts.k, unit: .tokens, pass: pass)
        let needsNorm = dx != nil || inputNorm.learns(pass)
        var queryKeyValueKept = kept.queryKeyValue
        if queryKeyValue.readsInput(pass) {
            let n = try pass.scratch.matrix(rows: pass.tokenCount, columns: hiddenSize)
            try inputNorm.again(kept.inputNorm, into: n, pass: pass)
            queryKeyValueKept = try queryKeyValue.reading(n, queryKeyValueKept, pass: pass)
        }
        let dn =
            try needsNorm ? pass.scratch.matrix(rows: pass.tokenCount, columns: hiddenSize) : nil
        try queryKeyValue.backward(parts, queryKeyValueKept, into: dn, pass: pass)
        guard let dn else { return }
        inputNorm.backward(dn, kept.inputNorm, into: dn, pass: pass)
        guard let dx else { return }
        pass.selectBackward(gradient, unit, into: dx)
        gk_add(pass.team.kernel, Int64(dx.count), 1, dn.base, dx.base)
    }
}
