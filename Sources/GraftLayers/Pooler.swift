import CGraftKernels
import GraftTensor

/// What BERT makes of the token that stands for a row: p = tanh(W h + b); h, p [rows, width].
package struct Pooler: Sendable {
    private let linear: Linear

    private struct Kept: BitwiseCopyable {
        let linear: Linear.Kept
        let beforeTanh: Matrix
    }

    package init(_ linear: Linear) {
        self.linear = linear
    }

    package func forward(_ h: Matrix, keeps: Bool, pass: Pass) throws(GraftError) -> Representation {
        let arena = pass.arena(keeping: keeps)
        let pooled = try arena.matrix(rows: h.rows, columns: h.columns)
        let beforeTanh = try arena.matrix(rows: h.rows, columns: h.columns)
        let linear = try linear.forward(
            h, into: pooled, activation: .tanh, beforeActivation: beforeTanh, keeps: keeps, pass: pass)
        guard keeps else { return Representation(matrix: pooled, kept: nil) }
        return Representation(matrix: pooled, kept: try pass.keep(Kept(linear: linear, beforeTanh: beforeTanh)))
    }

    /// dh from d(p), which is overwritten.
    package func backward(
        _ gradient: Matrix, _ representation: Representation, into dh: Matrix?, pass: Pass
    ) throws(GraftError) {
        guard let kept = representation.kept?.assumingMemoryBound(to: Kept.self).pointee else { return }
        gk_activation_backward(
            pass.team.kernel, Activation.tanh.kernel, Int64(gradient.count), kept.beforeTanh.base, gradient.base,
            gradient.base)
        try linear.backward(gradient, kept.linear, into: dh, pass: pass)
    }
}
