import CGraftKernels
import GraftTensor

/// What is made of the token that stands for a row: p = f(W h + b), where BERT's f is tanh; h, p
/// [rows, width].
package struct Pooler: Sendable {
    private let linear: Linear
    private let activation: Activation

    private struct Kept: BitwiseCopyable {
        let linear: Linear.Kept
        let beforeActivation: Matrix
    }

    package init(_ linear: Linear, _ activation: Activation) {
        self.linear = linear
        self.activation = activation
    }

    package func forward(_ h: Matrix, keeps: Bool, pass: Pass) throws(GraftError) -> Representation {
        let arena = pass.arena(keeping: keeps)
        let pooled = try arena.matrix(rows: h.rows, columns: h.columns)
        let beforeActivation = try arena.matrix(rows: h.rows, columns: h.columns)
        let linear = try linear.forward(
            h, into: pooled, activation: activation, beforeActivation: beforeActivation, keeps: keeps, pass: pass)
        guard keeps else { return Representation(matrix: pooled, kept: nil) }
        return Representation(
            matrix: pooled, kept: try pass.keep(Kept(linear: linear, beforeActivation: beforeActivation)))
    }

    /// dh from d(p), which is overwritten.
    package func backward(
        _ gradient: Matrix, _ representation: Representation, into dh: Matrix?, pass: Pass
    ) throws(GraftError) {
        guard let kept = representation.kept?.assumingMemoryBound(to: Kept.self).pointee else { return }
        gk_activation_backward(
            pass.team.kernel, activation.kernel, Int64(gradient.count), kept.beforeActivation.base, gradient.base,
            gradient.base)
        try linear.backward(gradient, kept.linear, into: dh, pass: pass)
    }
}
