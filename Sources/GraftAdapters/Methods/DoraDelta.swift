import CGraftKernels
import GraftLayers
import GraftTensor

/// Weight-decomposed low-rank adaptation (Liu et al. 2024, eq. 5) at a linear site:
/// y = m / ‖V‖ ∘ (V x) + b with V = W + s B A.
///
/// The lengths ‖V‖ [out] are of V's rows. With v = V x, backward: dm = Σ dy ∘ v / ‖V‖;
/// dv = m / ‖V‖ ∘ dy goes on to W x and to LoRA. With dropout, as PEFT does it, V is given
/// dropout(x) and W x stays besides: y = W x + b + m / ‖V‖ ∘ v - W dropout(x).
final class DoraDelta: LinearAction {
    let lora: LoraDelta
    let magnitude: Magnitude
    let changesOutput = true
    let multipliesBias = false
    let readsWeight = true

    private struct Kept: BitwiseCopyable {
        let u: UnsafeMutableRawPointer?
        let v: UnsafeMutablePointer<Float>
        let lengths: UnsafePointer<Float>
    }

    init(_ lora: LoraDelta, _ magnitude: Magnitude) {
        self.lora = lora
        self.magnitude = magnitude
    }

    func forward(
        _ x: Matrix, into y: Matrix, _ module: LinearModule, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        guard context.scale != 0 else { return nil }
        let (pass, team) = (context.pass, context.pass.team)
        let lengths = try magnitude.lengths(context) { lengths throws(GraftError) in
            try lora.rowLengths(into: lengths, context.numbers.values, team, scratch: pass.scratch) {
                module.copyRows(from: $0, into: $1)
            }
        }
        let v = try context.arena.matrix(rows: y.rows, columns: y.columns)
        let kept = try context.arena.allocate(Kept.self, count: 1)
        let mark = pass.scratch.mark
        defer { if context.keeps { pass.scratch.rewind(to: mark) } }
        let bias = module.bias.map { Matrix($0, rows: 1, columns: y.columns) }
        let dropped = try lora.droppedInput(x, context)
        if dropped.base == x.base {
            y.copy(to: v)
            if let bias { team.addToRows(bias, scale: -1, of: v) }
        } else {
            try module.multiply(dropped, into: v, pass)
            team.add(v, scale: -1, to: y)
        }
        var full = context
        full.scale = 1
        let u = try lora.forward(x, dropped: dropped, into: v, full)
        kept.initialize(to: Kept(u: u, v: v.base, lengths: lengths))

        let isWhole = dropped.base == x.base && context.scale == 1
        let scaled = isWhole ? y : try pass.scratch.matrix(rows: y.rows, columns: y.columns)
        try magnitude.scale(v, lengths: lengths, into: scaled, context)
        if dropped.base == x.base {
            if let bias { team.addToRows(bias, of: scaled) }
            if !isWhole { team.blend(scaled, weight: context.scale, into: y) }
        } else {
            team.add(scaled, to: y)
        }
        return UnsafeMutableRawPointer(kept)
    }

    func backwardOutput(
        _ dy: Matrix, kept: UnsafeMutableRawPointer?, _ context: SiteContext
    ) throws(GraftError) {
        guard let kept = kept?.assumingMemoryBound(to: Kept.self).pointee else { return }
        try magnitude.addGradient(
            dy, Matrix(kept.v, rows: dy.rows, columns: dy.columns), lengths: kept.lengths, context)
        guard !lora.drops(context) else { return }
        try magnitude.scale(dy, lengths: kept.lengths, into: dy, context)
    }

    func backward(
        _ dy: Matrix, x: Matrix, kept: UnsafeMutableRawPointer?, into dx: Matrix?, _ module: LinearModule,
        _ context: SiteContext
    ) throws(GraftError) {
        guard let kept = kept?.assumingMemoryBound(to: Kept.self).pointee else { return }
        guard lora.drops(context) else {
            return try lora.backward(dy, x: x, kept: kept.u, into: dx, module, context)
        }
        let (pass, team) = (context.pass, context.pass.team)
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let dv = try pass.scratch.matrix(rows: dy.rows, columns: dy.columns)
        try magnitude.scale(dy, lengths: kept.lengths, into: dv, context)
        try lora.backward(dv, x: x, kept: kept.u, into: dx, module, context)
        guard let dx else { return }
        team.add(dy, scale: -1, to: dv)
        let dDropped = try pass.scratch.matrix(rows: dx.rows, columns: dx.columns)
        try module.multiplyBackward(dv, into: dDropped, pass)
        lora.dropBack(dDropped, context)
        team.add(dDropped, to: dx)
    }
}
