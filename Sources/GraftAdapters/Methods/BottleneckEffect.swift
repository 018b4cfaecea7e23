import CGraftKernels
import GraftLayers
import GraftTensor

/// x ← r + s · dropout(U f(D z + b) + c) at a hidden site, where z and r are made of x and the
/// residual t.
///
/// x, z, r, t [m, width]; D [inner, width], b [inner], U [width, inner], c [width];
/// u = D z + b, h = f(u) [m, inner]. Backward, with dy = s · dropout(d(changed x)): dU += dyᵀ h;
/// dc += Σ dy; du = dy U ∘ f′(u); dD += duᵀ z; db += Σ du; dz = du D. A composition's scale w goes
/// between x and what is written here: x + w (r - x) + w s · ….
final class BottleneckEffect: HiddenAction {
    /// What the bottleneck reads.
    enum Input {
        /// z = x.
        case output
        /// z = norm(x + t), or x + t where the model has no norm there.
        case sum
        /// z = t.
        case residual
    }

    /// What the bottleneck's result is added to.
    enum Base {
        /// r = x.
        case output
        /// r = x + t.
        case sum
        /// r = z.
        case input
    }

    struct Weights {
        let down: Parameter
        let downBias: Parameter
        let up: Parameter
        let upBias: Parameter
    }

    private struct Kept: BitwiseCopyable {
        /// nil where `norm` gives it again, or where it is t.
        let z: Matrix?
        let norm: LayerNorm.Kept?
        let u: Matrix
    }

    private let weights: Weights
    private let width: Int
    private let inner: Int
    private let input: Input
    private let base: Base
    private let activation: Activation
    private let factor: Float
    private let dropout: Float

    init(
        _ weights: Weights, width: Int, inner: Int, input: Input, base: Base, activation: Activation, factor: Float,
        dropout: Float
    ) {
        self.weights = weights
        self.width = width
        self.inner = inner
        self.input = input
        self.base = base
        self.activation = activation
        self.factor = factor
        self.dropout = dropout
    }

    func forward(
        _ x: Matrix, residual t: Matrix, norm: LayerNorm?, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        let pass = context.pass
        let keeps = context.keeps
        let u = try pass.arena(keeping: keeps).matrix(rows: x.rows, columns: inner)
        let kept = keeps ? try pass.kept.allocate(Kept.self, count: 1) : nil
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let (z, normKept) = try readInput(x, t, norm, context)

        fill(u, with: context.values(weights.downBias))
        pass.team.multiply(z, down(context.numbers.values), transposeB: true, adding: 1, into: u)
        let h = keeps ? try pass.scratch.matrix(rows: x.rows, columns: inner) : u
        gk_activation_forward(pass.team.kernel, activation.kernel, Int64(u.count), u.base, h.base)

        addBase(z: z, t: t, into: x, context)
        try addUp(h, into: x, context)
        kept?.initialize(
            to: Kept(z: input == .residual || normKept != nil ? nil : z, norm: normKept, u: u))
        return UnsafeMutableRawPointer(kept)
    }

    func backward(
        _ dx: Matrix, kept pointer: UnsafeMutableRawPointer, residual t: Matrix, into dt: Matrix, norm: LayerNorm?,
        _ context: SiteContext
    ) throws(GraftError) {
        let kept = pointer.assumingMemoryBound(to: Kept.self).pointee
        let pass = context.pass
        let team = pass.team
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let scale = factor * context.scale

        var dy = dx
        if var dropout = context.dropout(probability: dropout, width: width) {
            dy = try pass.scratch.matrix(rows: dx.rows, columns: width)
            gk_apply_dropout(team.kernel, &dropout, Int64(dx.count), dx.base, dy.base)
        }
        let du = try pass.scratch.matrix(rows: dx.rows, columns: inner)
        team.multiply(dy, up(context.numbers.values), scale: scale, into: du)
        gk_activation_backward(
            team.kernel, activation.kernel, Int64(du.count), kept.u.base, du.base, du.base)
        if let gradients = context.numbers.gradients {
            let h = try pass.scratch.matrix(rows: dx.rows, columns: inner)
            gk_activation_forward(team.kernel, activation.kernel, Int64(h.count), kept.u.base, h.base)
            team.multiply(dy, h, transposeA: true, scale: scale, adding: 1, into: up(gradients))
            try context.addColumnSums(of: dy, scale: scale, to: weights.upBias)
            let z = try keptInput(kept, t, norm, context)
            team.multiply(du, z, transposeA: true, adding: 1, into: down(gradients))
            try context.addColumnSums(of: du, scale: 1, to: weights.downBias)
        }
        try backwardToInput(dx, du: du, kept, dt: dt, norm, context)
    }

    /// z, in scratch memory unless backward needs it as it is.
    private func readInput(
        _ x: Matrix, _ t: Matrix, _ norm: LayerNorm?, _ context: SiteContext
    ) throws(GraftError) -> (z: Matrix, norm: LayerNorm.Kept?) {
        let pass = context.pass
        switch input {
        case .residual: return (t, nil)
        case .output:
            guard context.keeps else { return (x, nil) }
            let z = try pass.kept.matrix(rows: x.rows, columns: width)
            z.base.update(from: x.base, count: x.count)
            return (z, nil)
        case .sum:
            guard let norm else {
                let z = try pass.arena(keeping: context.keeps).matrix(rows: x.rows, columns: width)
                z.base.update(from: x.base, count: x.count)
                gk_add(pass.team.kernel, Int64(t.count), 1, t.base, z.base)
                return (z, nil)
            }
            let z = try pass.scratch.matrix(rows: x.rows, columns: width)
            return (z, try norm.forward(x, residual: t, into: z, keeps: context.keeps, context))
        }
    }

    /// z as it was in forward.
    private func keptInput(
        _ kept: Kept, _ t: Matrix, _ norm: LayerNorm?, _ context: SiteContext
    ) throws(GraftError) -> Matrix {
        guard let norm, let normKept = kept.norm else { return kept.z ?? t }
        let z = try context.pass.scratch.matrix(rows: t.rows, columns: width)
        _ = try norm.forward(normKept.sum, residual: nil, into: z, keeps: false, context)
        return z
    }

    /// x ← x + w (r - x).
    private func addBase(z: Matrix, t: Matrix, into x: Matrix, _ context: SiteContext) {
        let w = context.scale
        switch base {
        case .output: break
        case .sum: gk_add(context.pass.team.kernel, Int64(x.count), w, t.base, x.base)
        case .input where w == 1: x.base.update(from: z.base, count: x.count)
        case .input: context.pass.team.blend(z, weight: w, into: x)
        }
    }

    /// x += w s · dropout(U h + c).
    private func addUp(_ h: Matrix, into x: Matrix, _ context: SiteContext) throws(GraftError) {
        let team = context.pass.team
        let scale = factor * context.scale
        let bias = Matrix(context.values(weights.upBias), rows: 1, columns: width)
        guard var dropout = context.dropout(probability: dropout, width: width) else {
            team.addToRows(bias, scale: scale, of: x)
            team.multiply(h, up(context.numbers.values), transposeB: true, scale: scale, adding: 1, into: x)
            return
        }
        let y = try context.pass.scratch.matrix(rows: x.rows, columns: width)
        fill(y, with: bias.base)
        team.multiply(h, up(context.numbers.values), transposeB: true, adding: 1, into: y)
        gk_apply_dropout(team.kernel, &dropout, Int64(y.count), y.base, y.base)
        gk_add(team.kernel, Int64(y.count), scale, y.base, x.base)
    }

    /// Turns d(changed x) into d(x), and adds to dt, what went through r and through z.
    private func backwardToInput(
        _ dx: Matrix, du: Matrix, _ kept: Kept, dt: Matrix, _ norm: LayerNorm?, _ context: SiteContext
    ) throws(GraftError) {
        let team = context.pass.team
        let w = context.scale
        let count = Int64(dx.count)
        let weight = down(context.numbers.values)
        if base == .sum { gk_add(team.kernel, count, w, dx.base, dt.base) }
        if base != .input {
            if input == .output { return team.multiply(du, weight, adding: 1, into: dx) }
            if input == .residual { return team.multiply(du, weight, adding: 1, into: dt) }
        }
        let dz = try context.pass.scratch.matrix(rows: dx.rows, columns: width)
        team.multiply(du, weight, into: dz)
        if base == .input {
            gk_add(team.kernel, count, w, dx.base, dz.base)
            gk_add(team.kernel, count, -w, dx.base, dx.base)
        }
        if let norm, let normKept = kept.norm { norm.backward(dz, normKept, into: dz, context) }
        if input != .residual { gk_add(team.kernel, count, 1, dz.base, dx.base) }
        if input != .output { gk_add(team.kernel, count, 1, dz.base, dt.base) }
    }

    private func fill(_ matrix: Matrix, with row: UnsafePointer<Float>) {
        for index in 0..<matrix.rows { (matrix.base + index * matrix.stride).update(from: row, count: matrix.columns) }
    }

    private func down(_ values: UnsafeMutablePointer<Float>) -> Matrix {
        Matrix(values + weights.down.offset, rows: inner, columns: width)
    }

    private func up(_ values: UnsafeMutablePointer<Float>) -> Matrix {
        Matrix(values + weights.up.offset, rows: width, columns: inner)
    }
}
