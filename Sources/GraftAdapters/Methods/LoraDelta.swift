import CGraftKernels
import GraftLayers
import GraftTensor

/// y += s · (B A dropout(x) + bias) at a linear site; with PiSSA, y −= s · B₀ A₀ x besides, what B
/// A started at; with AdaLoRA, y += s · B (E ∘ A dropout(x)).
///
/// x [m, in], u = dropout(x) Aᵀ [m, r], y [m, out], E [r], v = E ∘ u. Backward: dB += s dyᵀ v;
/// dv = s dy B; dE += Σ dv ∘ u; du = E ∘ dv; dA += duᵀ dropout(x); dx += dropout(du A);
/// dbias += s Σ dy. Without E, v is u.
final class LoraDelta: LinearAction {
    let a: Parameter
    let b: Parameter
    private let bias: Parameter?
    let rank: Int
    let inputs: Int
    let outputs: Int
    let factor: Float
    private let dropout: Float
    private let initial: (a: Parameter, b: Parameter)?
    private let singularValues: ScaleVector?

    init(
        a: Parameter, b: Parameter, bias: Parameter?, rank: Int, inputs: Int, outputs: Int, factor: Float,
        dropout: Float, initial: (a: Parameter, b: Parameter)? = nil, singularValues: ScaleVector? = nil
    ) {
        self.a = a
        self.b = b
        self.bias = bias
        self.rank = rank
        self.inputs = inputs
        self.outputs = outputs
        self.factor = factor
        self.dropout = dropout
        self.initial = initial
        self.singularValues = singularValues
    }

    /// Whether it is s · B A x and nothing else.
    var isPlain: Bool { bias == nil && initial == nil && singularValues == nil }

    /// The same without what it starts at.
    func starting(at initial: (a: Parameter, b: Parameter)) -> LoraDelta {
        LoraDelta(
            a: a, b: b, bias: bias, rank: rank, inputs: inputs, outputs: outputs, factor: factor, dropout: dropout,
            initial: initial)
    }

    func forward(
        _ x: Matrix, into y: Matrix, _ module: LinearModule, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        try forward(x, dropped: nil, into: y, context)
    }

    /// - Parameter dropped: dropout(x), where somebody has made it already.
    func forward(
        _ x: Matrix, dropped given: Matrix?, into y: Matrix, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        let pass = context.pass
        let u = try context.arena.matrix(rows: x.rows, columns: rank)
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let dropped = if let given { given } else { try droppedInput(x, context) }
        let scale = factor * context.scale
        pass.team.multiply(dropped, matrixA(context.numbers.values), transposeB: true, into: u)
        pass.team.multiply(
            try stretched(u, context), matrixB(context.numbers.values), transposeB: true, scale: scale, adding: 1,
            into: y)
        if let initial {
            let start = try pass.scratch.matrix(rows: x.rows, columns: rank)
            pass.team.multiply(x, matrixA(context.numbers.values, initial.a), transposeB: true, into: start)
            pass.team.multiply(
                start, matrixB(context.numbers.values, initial.b), transposeB: true, scale: -scale, adding: 1, into: y)
        }
        if let bias {
            pass.team.addToRows(Matrix(context.values(bias), rows: 1, columns: outputs), scale: scale, of: y)
        }
        return UnsafeMutableRawPointer(u.base)
    }

    func backward(
        _ dy: Matrix, x: Matrix, kept: UnsafeMutableRawPointer?, into dx: Matrix?, _ module: LinearModule,
        _ context: SiteContext
    ) throws(GraftError) {
        guard let kept else { return }
        let u = Matrix(kept.assumingMemoryBound(to: Float.self), rows: x.rows, columns: rank)
        let pass = context.pass
        let team = pass.team
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let scale = factor * context.scale
        let du = try pass.scratch.matrix(rows: dy.rows, columns: rank)
        team.multiply(dy, matrixB(context.numbers.values), scale: scale, into: du)
        let gradients = context.numbers.gradients
        if let gradients {
            let v = try stretched(u, context)
            team.multiply(dy, v, transposeA: true, scale: scale, adding: 1, into: matrixB(gradients))
        }
        try stretchBack(du, u, context)
        if let gradients {
            let dropped = try droppedInput(x, context)
            team.multiply(du, dropped, transposeA: true, adding: 1, into: matrixA(gradients))
            if let bias { try context.addColumnSums(of: dy, scale: scale, to: bias) }
        }
        guard let dx else { return }
        if let initial {
            let dStart = try pass.scratch.matrix(rows: dy.rows, columns: rank)
            team.multiply(dy, matrixB(context.numbers.values, initial.b), scale: -scale, into: dStart)
            team.multiply(dStart, matrixA(context.numbers.values, initial.a), adding: 1, into: dx)
        }
        guard drops(context) else {
            team.multiply(du, matrixA(context.numbers.values), adding: 1, into: dx)
            return
        }
        let dDropped = try pass.scratch.matrix(rows: dx.rows, columns: inputs)
        team.multiply(du, matrixA(context.numbers.values), into: dDropped)
        dropBack(dDropped, context)
        team.add(dDropped, to: dx)
    }

    func matrixA(_ base: UnsafeMutablePointer<Float>, _ own: Parameter? = nil) -> Matrix {
        Matrix(base + (own ?? a).offset, rows: rank, columns: inputs)
    }

    func matrixB(_ base: UnsafeMutablePointer<Float>, _ own: Parameter? = nil) -> Matrix {
        Matrix(base + (own ?? b).offset, rows: outputs, columns: rank)
    }

    /// v = E ∘ u, or u itself where there is no E.
    private func stretched(_ u: Matrix, _ context: SiteContext) throws(GraftError) -> Matrix {
        guard let singularValues else { return u }
        let v = try context.pass.scratch.matrix(rows: u.rows, columns: rank)
        try singularValues.scale(u, into: v, Self.inFull(context))
        return v
    }

    /// The gradient of u, in place, from that of v; and that of E.
    private func stretchBack(_ dv: Matrix, _ u: Matrix, _ context: SiteContext) throws(GraftError) {
        guard let singularValues else { return }
        try singularValues.addGradient(dv, u, Self.inFull(context))
        try singularValues.scale(dv, into: dv, Self.inFull(context))
    }

    /// E is a factor of what the composition scales as a whole.
    private static func inFull(_ context: SiteContext) -> SiteContext {
        var context = context
        context.scale = 1
        return context
    }

    /// Whether dropout changes x.
    func drops(_ context: SiteContext) -> Bool { context.dropout(probability: dropout, width: inputs) != nil }

    /// dropout(x), or x itself where nothing is dropped.
    func droppedInput(_ x: Matrix, _ context: SiteContext) throws(GraftError) -> Matrix {
        guard var dropout = context.dropout(probability: dropout, width: inputs) else { return x }
        let out = try context.pass.scratch.matrix(rows: x.rows, columns: x.columns)
        gk_apply_dropout(context.pass.team.kernel, &dropout, Int64(x.count), x.base, out.base)
        return out
    }

    /// The gradient of x, in place, from that of dropout(x).
    func dropBack(_ gradient: Matrix, _ context: SiteContext) {
        guard var dropout = context.dropout(probability: dropout, width: inputs) else { return }
        gk_apply_dropout(context.pass.team.kernel, &dropout, Int64(gradient.count), gradient.base, gradient.base)
    }
}

/// ΔW = s · (B A − B₀ A₀), Δb = s · bias; with AdaLoRA, ΔW = s · B (E ∘ A).
extension LoraDelta: WeightChange {
    func addDelta(
        to weight: Matrix, scale: Float, values: UnsafeMutablePointer<Float>, site: Site, team: Team
    ) throws(GraftError) {
        let memory = try Memory(byteCount: singularValues == nil ? 0 : 4 * outputs * rank)
        defer { withExtendedLifetime(memory) {} }
        var b = matrixB(values)
        if let singularValues {
            b = Matrix(memory.floats(), rows: outputs, columns: rank)
            matrixB(values).copy(to: b)
            singularValues.scale(b, values, team)
        }
        team.multiply(b, matrixA(values), scale: factor * scale, adding: 1, into: weight)
        guard let initial else { return }
        team.multiply(
            matrixB(values, initial.b), matrixA(values, initial.a), scale: -factor * scale, adding: 1, into: weight)
    }

    var changesBias: Bool { bias != nil }

    func addDelta(
        toBias own: UnsafeMutablePointer<Float>, scale: Float, values: UnsafeMutablePointer<Float>, site: Site,
        team: Team
    ) {
        if let bias { gk_add(team.kernel, Int64(outputs), factor * scale, values + bias.offset, own) }
    }
}
