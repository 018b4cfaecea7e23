import GraftLayers
import GraftTensor

/// y ← y ∘ l at a linear site, bias and all; y [m, out], l [out]. Backward: dl += Σ dy ∘ y;
/// dy ← dy ∘ l.
final class ScaledOutput: LinearAction {
    private let factors: ScaleVector
    /// Whether the module has a bias, which is scaled with the rest.
    private let hasBias: Bool
    let changesOutput = true

    init(_ factors: ScaleVector, hasBias: Bool) {
        self.factors = factors
        self.hasBias = hasBias
    }

    func forward(
        _ x: Matrix, into y: Matrix, _ module: LinearModule, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        var kept: Matrix?
        if context.learns {
            let before = try context.arena.matrix(rows: y.rows, columns: y.columns)
            y.copy(to: before)
            kept = before
        }
        try factors.scale(y, into: y, context)
        return kept.map { UnsafeMutableRawPointer($0.base) }
    }

    func backwardOutput(
        _ dy: Matrix, kept: UnsafeMutableRawPointer?, _ context: SiteContext
    ) throws(GraftError) {
        if let kept {
            let y = Matrix(kept.assumingMemoryBound(to: Float.self), rows: dy.rows, columns: dy.columns)
            try factors.addGradient(dy, y, context)
        }
        try factors.scale(dy, into: dy, context)
    }

    func backward(
        _ dy: Matrix, x: Matrix, kept: UnsafeMutableRawPointer?, into dx: Matrix?, _ module: LinearModule,
        _ context: SiteContext
    ) {}
}

/// ΔW = (l - 1) ∘ W by rows, Δb = (l - 1) ∘ b.
extension ScaledOutput: WeightChange {
    func addDelta(
        to weight: Matrix, scale: Float, values: UnsafeMutablePointer<Float>, site: Site, team: Team
    ) throws(GraftError) {
        try site.withWeight(rows: weight.rows, columns: weight.columns) { frozen throws(GraftError) in
            for row in 0..<weight.rows {
                let change = scale * (factors.value(row, values) - 1)
                team.add(frozen.rows(from: row, count: 1), scale: change, to: weight.rows(from: row, count: 1))
            }
        }
    }

    var changesBias: Bool { hasBias }

    func addDelta(
        toBias bias: UnsafeMutablePointer<Float>, scale: Float, values: UnsafeMutablePointer<Float>, site: Site,
        team: Team
    ) throws(GraftError) {
        guard let copyBias = site.copyBias else { return }
        let memory = try Memory(byteCount: site.outputs * 4)
        copyBias(memory.floats())
        factors.addChange(of: Matrix(memory.floats(), rows: 1, columns: site.outputs), scale, values, to: bias, team)
    }
}
