import CGraftKernels
import GraftTensor

/// The head of an encoder for masked words: logits = E LayerNorm(f(W h + b)) + c, where E is the
/// table of the embeddings, or a matrix of the checkpoint's own.
package final class MaskedHead: Sendable {
    private let dense: Linear
    private let activation: Activation
    private let norm: LayerNorm
    /// W has so many outputs.
    package let width: Int
    /// Whether E is the table itself, and no module: an adapter's own table is E, too.
    package let readsTable: Bool
    private let makeDecoder: @Sendable () throws(GraftError) -> Linear
    private let decoder = Guarded<Linear?>(nil)

    package struct Kept: BitwiseCopyable {
        fileprivate let dense: Linear.Kept
        fileprivate let beforeActivation: Matrix
        fileprivate let norm: LayerNorm.Kept
    }

    /// - Parameter decoder: packs E, which as large as the vocabulary is made when it is first
    ///   wanted: whoever classifies with a checkpoint that has this head does not pay for it.
    package init(
        dense: Linear, _ activation: Activation, norm: LayerNorm, width: Int, readsTable: Bool = false,
        decoder: @escaping @Sendable () throws(GraftError) -> Linear
    ) {
        self.dense = dense
        self.activation = activation
        self.norm = norm
        self.width = width
        self.readsTable = readsTable
        makeDecoder = decoder
    }

    /// x Eᵀ + c.
    package func readyDecoder() throws(GraftError) -> Linear {
        try decoder.withLock { known throws(GraftError) in
            if let known { return known }
            let made = try makeDecoder()
            known = made
            return made
        }
    }

    /// Bytes of E that were touched, where it is packed. Any thread may ask.
    package var residentByteCount: Int { decoder.withLock { $0?.weight.residentByteCount ?? 0 } }

    /// Whether an adapter of this pass learns in what stands before E.
    package func learns(_ pass: Pass) -> Bool {
        pass.learns(at: dense.parts[0].site..<dense.parts[0].site + 1) || pass.learns(at: norm.site..<norm.site + 1)
    }

    /// LayerNorm(f(W h + b)) of chosen hidden states: h [m, hidden] → [m, width].
    package func forward(_ h: Matrix, pass: Pass) throws(GraftError) -> (y: Matrix, kept: Kept) {
        let beforeActivation = try pass.scratch.matrix(rows: h.rows, columns: width)
        let activated = try pass.scratch.matrix(rows: h.rows, columns: width)
        let y = try pass.scratch.matrix(rows: h.rows, columns: width)
        let denseKept = try dense.forward(
            h, into: activated, activation: activation, beforeActivation: beforeActivation, keeps: false, pass: pass)
        guard
            let normKept = try norm.forward(
                activated, into: y, staysUntilBackward: true, keeps: true, pass: pass)
        else { throw GraftError(.internal, "a norm that keeps kept nothing") }
        return (y, Kept(dense: denseKept, beforeActivation: beforeActivation, norm: normKept))
    }

    /// dh from dy, which is overwritten; dh may be nil where nobody below learns.
    package func backward(_ dy: Matrix, _ kept: Kept, into dh: Matrix?, pass: Pass) throws(GraftError) {
        norm.backward(dy, kept.norm, into: dy, pass: pass)
        gk_activation_backward(
            pass.team.kernel, activation.kernel, Int64(dy.count), kept.beforeActivation.base, dy.base, dy.base)
        try dense.backward(dy, kept.dense, into: dh, pass: pass)
    }
}
