import GraftLayers
import GraftTensor

/// y = W (x ∘ l) + b at a linear site; x [m, in], l [in]. Backward, with d(x ∘ l): dl += Σ d ∘ x;
/// dx += d ∘ l.
final class ScaledInput: LinearAction {
    private let factors: ScaleVector
    let changesInput = true

    init(_ factors: ScaleVector) {
        self.factors = factors
    }

    func before(_ x: Matrix, into changed: Matrix, _ context: SiteContext) throws(GraftError) {
        try factors.scale(x, into: changed, context)
    }

    func forward(
        _ x: Matrix, into y: Matrix, _ module: LinearModule, _ context: SiteContext
    ) -> UnsafeMutableRawPointer? { nil }

    func backward(
        _ dy: Matrix, x: Matrix, kept: UnsafeMutableRawPointer?, into dx: Matrix?, _ module: LinearModule,
        _ context: SiteContext
    ) {}

    func backwardInput(_ gradient: Matrix, x: Matrix, _ context: SiteContext) throws(GraftError) {
        try factors.addGradient(gradient, x, context)
        try factors.scale(gradient, into: gradient, context)
    }
}

/// ΔW = W ∘ (l - 1) by columns.
extension ScaledInput: WeightChange {
    func addDelta(
        to weight: Matrix, scale: Float, values: UnsafeMutablePointer<Float>, site: Site, team: Team
    ) throws(GraftError) {
        try site.withWeight(rows: weight.rows, columns: weight.columns) { frozen throws(GraftError) in
            factors.addChange(of: frozen, scale, values, to: weight.base, team)
        }
    }
}
