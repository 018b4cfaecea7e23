import CGraftKernels
import GraftTensor

/// y = LayerNorm(branch(dropout(x)) + t): the end of a sub-layer with the norm after it; x, t, y [m, width].
package struct ResidualNorm: Sendable {
    private let branch: Branch
    private let norm: LayerNorm
    private let unit: Pass.Unit
    private let width: Int
    private let dropoutProbability: Float
    private let dropoutSite: Int

    package struct Kept: BitwiseCopyable {
        let branch: Branch.Kept
        let norm: LayerNorm.Kept
    }

    package init(
        branch: Branch, norm: LayerNorm, unit: Pass.Unit, width: Int, dropoutProbability: Float, dropoutSite: Int
    ) {
        self.branch = branch
        self.norm = norm
        self.unit = unit
        self.width = width
        self.dropoutProbability = dropoutProbability
        self.dropoutSite = dropoutSite
    }

    /// Overwrites x.
    package func forward(
        _ x: Matrix, residual t: Matrix, into y: Matrix, keeps: Bool, pass: Pass
    ) throws(GraftError) -> Kept? {
        var dropout = dropout(pass)
        if branch.isAdapted(pass), var early = dropout {
            // Adapters read x after dropout, so it cannot wait for the norm.
            gk_apply_dropout(pass.team.kernel, &early, Int64(x.count), x.base, x.base)
            dropout = nil
        }
        let branchKept = try branch.forward(x, residual: t, norm: norm, keeps: keeps, pass: pass)
        return try norm.forward(x, residual: t, dropout: dropout, into: y, keeps: keeps, pass: pass)
            .map { Kept(branch: branchKept, norm: $0) }
    }

    /// Turns d(y) into d(t), in place, and returns d(x): the same matrix where the two are equal, else `spare`.
    package func backward(
        _ gradient: Matrix, _ kept: Kept, using spare: Matrix, pass: Pass
    ) throws(GraftError) -> Matrix {
        norm.backward(gradient, kept.norm, into: gradient, pass: pass)
        let dx = try branch.backward(gradient, kept.branch, norm: norm, using: spare, pass: pass)
        guard var dropout = dropout(pass) else { return dx }
        gk_apply_dropout(pass.team.kernel, &dropout, Int64(dx.count), dx.base, spare.base)
        return spare
    }

    private func dropout(_ pass: Pass) -> gk_dropout? {
        pass.dropout(site: dropoutSite, probability: dropoutProbability, width: width, unit: unit)
    }
}
