import CGraftKernels
import GraftTensor

/// What is made of the token that stands for a row: p = f(W h + b), where BERT's f is tanh, or with
/// a norm p = norm(f(W h + b)); h, p [rows, width].
///
/// ModernBERT's classes make it of every token whose numbers are wanted, too: [tokens, width].
package struct Pooler: Sendable {
    private let linear: Linear
    private let activation: Activation
    private let norm: LayerNorm?
    /// Whether heads of tokens read it.
    let readsTokens: Bool

    private struct Kept: BitwiseCopyable {
        let linear: Linear.Kept
        let beforeActivation: Matrix
        let norm: LayerNorm.Kept?
    }

    package init(_ linear: Linear, _ activation: Activation, norm: LayerNorm? = nil, readsTokens: Bool = false) {
        self.linear = linear
        self.activation = activation
        self.norm = norm
        self.readsTokens = readsTokens
    }

    /// The same modules for rows of another unit.
    func with(unit: Pass.Unit) -> Pooler {
        Pooler(
            linear.repeated(0, unit: unit), activation, norm: norm?.with(unit: unit), readsTokens: readsTokens)
    }

    package func forward(_ h: Matrix, keeps: Bool, pass: Pass) throws(GraftError) -> Representation {
        let arena = pass.arena(keeping: keeps)
        let pooled = try arena.matrix(rows: h.rows, columns: h.columns)
        let beforeActivation = try arena.matrix(rows: h.rows, columns: h.columns)
        let linear = try linear.forward(
            h, into: pooled, activation: activation, beforeActivation: beforeActivation, keeps: keeps, pass: pass)
        let norm = try norm?.forward(pooled, into: pooled, keeps: keeps, pass: pass)
        guard keeps else { return Representation(matrix: pooled, kept: nil) }
        return Representation(
            matrix: pooled,
            kept: try pass.keep(Kept(linear: linear, beforeActivation: beforeActivation, norm: norm)))
    }

    /// dh from d(p), which is overwritten.
    package func backward(
        _ gradient: Matrix, _ representation: Representation, into dh: Matrix?, pass: Pass
    ) throws(GraftError) {
        guard let kept = representation.kept?.assumingMemoryBound(to: Kept.self).pointee else { return }
        if let norm, let normKept = kept.norm { norm.backward(gradient, normKept, into: gradient, pass: pass) }
        gk_activation_backward(
            pass.team.kernel, activation.kernel, Int64(gradient.count), kept.beforeActivation.base, gradient.base,
            gradient.base)
        try linear.backward(gradient, kept.linear, into: dh, pass: pass)
    }
}
