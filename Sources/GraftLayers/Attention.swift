import CGraftKernels
import GraftTensor

/// out = softmax(cap(scale · q kᵀ) + bias) v for each head and sequence (Vaswani et al. 2017),
/// dropout on the probabilities; cap(s) = c tanh(s / c) where there is a `softCap` c (Gemma 2).
///
/// q, out [m, heads · d]; k, v [keys, keyValueHeads · d]; streaming softmax, nothing of size
/// [length, length]. A token sees all of its sequence, or where `isCausal` those up to itself, or
/// of these those less than `window` places away.
package struct Attention: Sendable {
    private let headCount: Int
    private let keyValueHeadCount: Int
    private let headWidth: Int
    private let scale: Float
    private let softCap: Float?
    private let isCausal: Bool
    /// Whether the keys are those of what an encoder read for the row.
    private let readsSource: Bool
    private let window: Int?
    private let bias: PositionBias?
    /// Of the queries.
    private let unit: Pass.Unit
    private let dropoutProbability: Float
    /// Which dropout of the model this is.
    private let dropoutSite: Int
    private let precision: Precision

    /// - Parameter scale: nil: 1 / √d.
    package init(
        headCount: Int, keyValueHeadCount: Int, headWidth: Int, scale: Float? = nil, softCap: Float? = nil,
        isCausal: Bool, readsSource: Bool = false, window: Int? = nil, bias: PositionBias? = nil, unit: Pass.Unit,
        dropoutProbability: Float, dropoutSite: Int, precision: Precision
    ) {
        self.headCount = headCount
        self.keyValueHeadCount = keyValueHeadCount
        self.headWidth = headWidth
        self.scale = scale ?? 1 / Float(headWidth).squareRoot()
        self.softCap = softCap
        self.isCausal = isCausal
        self.readsSource = readsSource
        self.window = window
        self.bias = bias
        self.unit = unit
        self.dropoutProbability = dropoutProbability
        self.dropoutSite = dropoutSite
        self.precision = precision
    }

    package struct Kept: BitwiseCopyable {
        let q: Matrix, k: Matrix, v: Matrix, out: Matrix
        let logSum: UnsafeMutablePointer<Float>

        /// For a caller that has the same keys and values elsewhere.
        func reading(k: Matrix, v: Matrix) -> Kept { Kept(q: q, k: k, v: v, out: out, logSum: logSum) }
    }

    package func forward(
        q: Matrix, k: Matrix, v: Matrix, into out: Matrix, keeps: Bool, pass: Pass
    ) throws(GraftError) -> Kept? {
        let logSum = keeps ? try pass.kept.allocate(Float.self, count: q.rows * headCount) : nil
        var settings = settings(pass)
        gk_attention_forward(
            pass.team.kernel, &settings, q.base, Int64(q.stride), k.base, Int64(k.stride), v.base, Int64(v.stride),
            out.base, Int64(out.stride), logSum)
        return logSum.map { Kept(q: q, k: k, v: v, out: out, logSum: $0) }
    }

    /// Out once more, for a caller that did not keep it, and what backward takes then.
    package func again(_ kept: Kept, into out: Matrix, pass: Pass) throws(GraftError) -> Kept {
        _ = try forward(q: kept.q, k: kept.k, v: kept.v, into: out, keeps: false, pass: pass)
        return Kept(q: kept.q, k: kept.k, v: kept.v, out: out, logSum: kept.logSum)
    }

    package func backward(_ dout: Matrix, _ kept: Kept, dq: Matrix, dk: Matrix, dv: Matrix, pass: Pass) {
        var settings = settings(pass)
        gk_attention_backward(
            pass.team.kernel, &settings, kept.q.base, Int64(kept.q.stride), kept.k.base, Int64(kept.k.stride),
            kept.v.base, Int64(kept.v.stride), kept.out.base, Int64(kept.out.stride), kept.logSum, dout.base,
            Int64(dout.stride), dq.base, Int64(dq.stride), dk.base, Int64(dk.stride), dv.base, Int64(dv.stride))
    }

    private func settings(_ pass: Pass) -> gk_attention {
        var settings = gk_attention()
        settings.sequence_count = Int64(pass.rowCount)
        settings.sequences = readsSource ? pass.sourceSequences(unit) : pass.sequences(unit)
        settings.head_count = Int32(headCount)
        settings.key_value_head_count = Int32(keyValueHeadCount)
        settings.head_width = Int32(headWidth)
        settings.precision = precision.kernelType
        settings.scale = scale
        settings.soft_cap = softCap ?? 0
        settings.causal = isCausal
        settings.window = Int64(window ?? 0)
        if let bias {
            settings.bias = UnsafePointer(bias.byDistance.floats())
            settings.bias_reach = Int64(bias.reach)
        }
        if let pages = readsSource ? pass.sourcePages : pass.pages {
            settings.pages = pages
            settings.key_type = (pass.cache?.precision ?? .float32).kernelType
        }
        if let dropout = pass.dropout(site: dropoutSite, probability: dropoutProbability, width: 1) {
            settings.dropout = dropout
        }
        return settings
    }
}
