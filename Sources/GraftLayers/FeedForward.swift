import CGraftKernels
import GraftTensor

/// y = W_2 dropout(f(W_1 x + b_1)) + b_2 (Vaswani et al. 2017, eq. 2); x, y [m, width], between
/// them [m, inner].
package struct FeedForward: Mixer {
    private let up: Linear
    private let down: Linear
    private let activation: Activation
    private let innerSize: Int
    private let dropout: Dropout?

    private struct Kept: BitwiseCopyable {
        let up: Linear.Kept
        let beforeActivation: Matrix
        let down: Linear.Kept
    }

    package init(
        up: Linear, down: Linear, activation: Activation, innerSize: Int, dropout: Dropout? = nil
    ) {
        self.up = up
        self.down = down
        self.activation = activation
        self.innerSize = innerSize
        self.dropout = dropout
    }

    package var mixesTokens: Bool { false }

    package func readsInput(_ pass: Pass) -> Bool { up.readsInput(pass) }

    package func forward(
        _ x: Matrix, into y: Matrix, keeps: Bool, keepsOnly: Bool, pass: Pass
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        let beforeActivation = keeps ? try pass.kept.matrix(rows: x.rows, columns: innerSize) : nil
        let inner = try pass.arena(keeping: keeps && down.readsInput(pass)).matrix(rows: x.rows, columns: innerSize)
        let upKept = try up.forward(
            x, into: inner, activation: activation, beforeActivation: beforeActivation, keeps: keeps, pass: pass)
        dropout?.apply(to: inner, pass)
        let downKept = try down.forward(inner, into: y, keeps: keeps, keepsOnly: keepsOnly, pass: pass)
        guard let beforeActivation else { return nil }
        return try pass.keep(Kept(up: upKept, beforeActivation: beforeActivation, down: downKept))
    }

    package func backward(
        _ dy: Matrix, _ kept: UnsafeMutableRawPointer, x: Matrix, into dx: Matrix?, accumulate: Bool, pass: Pass
    ) throws(GraftError) {
        let kept = kept.assumingMemoryBound(to: Kept.self).pointee
        let dInner = try pass.scratch.matrix(rows: dy.rows, columns: innerSize)
        try down.backward(dy, kept.down, into: dInner, pass: pass)
        dropout?.apply(to: dInner, pass)
        gk_activation_backward(
            pass.team.kernel, activation.kernel, Int64(dInner.count), kept.beforeActivation.base, dInner.base,
            dInner.base)
        try up.backward(dInner, kept.up.reading(x), into: dx, accumulate: accumulate, pass: pass)
    }
}
