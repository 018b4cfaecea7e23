import CGraftKernels
import GraftTensor

/// y = W_down dropout(f(W_gate x) ∘ W_up x) (Shazeer 2020); x, y [m, width], between them [m,
/// inner].
package struct GatedFeedForward: Mixer {
    /// Gate and up, in this order, as one product.
    private let gateUp: Linear
    private let down: Linear
    private let activation: Activation
    private let innerSize: Int
    private let dropout: Dropout?

    private struct Kept: BitwiseCopyable {
        let gateUp: Linear.Kept
        /// [m, 2 · inner]: what the gate and up products gave.
        let joint: Matrix
        let down: Linear.Kept
    }

    package init(
        gateUp: Linear, down: Linear, activation: Activation, innerSize: Int, dropout: Dropout? = nil
    ) {
        self.gateUp = gateUp
        self.down = down
        self.activation = activation
        self.innerSize = innerSize
        self.dropout = dropout
    }

    package var mixesTokens: Bool { false }

    package func readsInput(_ pass: Pass) -> Bool { gateUp.readsInput(pass) }

    package func forward(
        _ x: Matrix, into y: Matrix, keeps: Bool, keepsOnly: Bool, pass: Pass
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        let joint = try pass.arena(keeping: keeps).matrix(rows: x.rows, columns: 2 * innerSize)
        let gateUpKept = try gateUp.forward(x, into: joint, keeps: keeps, pass: pass)
        let inner = try pass.arena(keeping: keeps && down.readsInput(pass)).matrix(rows: x.rows, columns: innerSize)
        gk_gated_forward(
            pass.team.kernel, activation.kernel, Int64(x.rows), Int64(innerSize), joint.base, inner.base)
        dropout?.apply(to: inner, pass)
        let downKept = try down.forward(inner, into: y, keeps: keeps, keepsOnly: keepsOnly, pass: pass)
        return try keeps ? pass.keep(Kept(gateUp: gateUpKept, joint: joint, down: downKept)) : nil
    }

    package func backward(
        _ dy: Matrix, _ kept: UnsafeMutableRawPointer, x: Matrix, into dx: Matrix?, accumulate: Bool, pass: Pass
    ) throws(GraftError) {
        let kept = kept.assumingMemoryBound(to: Kept.self).pointee
        let dInner = try pass.scratch.matrix(rows: dy.rows, columns: innerSize)
        try down.backward(dy, kept.down, into: dInner, pass: pass)
        dropout?.apply(to: dInner, pass)
        // Nobody reads the products after this: their gradient takes their place.
        gk_gated_backward(
            pass.team.kernel, activation.kernel, Int64(dy.rows), Int64(innerSize), kept.joint.base, dInner.base,
            kept.joint.base)
        try gateUp.backward(kept.joint, kept.gateUp.reading(x), into: dx, accumulate: accumulate, pass: pass)
    }
}
