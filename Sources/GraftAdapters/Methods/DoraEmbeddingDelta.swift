import GraftLayers
import GraftTensor

/// DoRA at an embedding site: row t is m / ‖V‖ ∘ V[t] with V = E + s Aᵀ Bᵀ [vocabulary, width].
///
/// The lengths ‖V‖ [width] are of V's columns, as in PEFT. Backward: dm = Σ dy ∘ v / ‖V‖;
/// dv = m / ‖V‖ ∘ dy goes on to LoRA.
final class DoraEmbeddingDelta: EmbeddingAction {
    let lora: LoraEmbeddingDelta
    let magnitude: Magnitude
    let changesOutput = true
    let readsWeight = true

    private struct Kept: BitwiseCopyable {
        let u: UnsafeMutableRawPointer?
        let v: UnsafeMutablePointer<Float>
        let lengths: UnsafePointer<Float>
    }

    init(_ lora: LoraEmbeddingDelta, _ magnitude: Magnitude) {
        self.lora = lora
        self.magnitude = magnitude
    }

    func forward(
        _ ids: UnsafePointer<Int32>, into y: Matrix, _ module: EmbeddingModule, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        guard context.scale != 0 else { return nil }
        let (pass, team) = (context.pass, context.pass.team)
        let lengths = try magnitude.lengths(context) { lengths throws(GraftError) in
            try lora.columnLengths(into: lengths, context.numbers.values, team, scratch: pass.scratch) {
                module.copyRows(from: $0, into: $1)
            }
        }
        let v = try context.arena.matrix(rows: y.rows, columns: y.columns)
        let kept = try context.arena.allocate(Kept.self, count: 1)
        let mark = pass.scratch.mark
        defer { if context.keeps { pass.scratch.rewind(to: mark) } }
        y.copy(to: v)
        var full = context
        full.scale = 1
        let u = try lora.forward(ids, into: v, module, full)
        kept.initialize(to: Kept(u: u, v: v.base, lengths: lengths))
        let scaled = context.scale == 1 ? y : try pass.scratch.matrix(rows: y.rows, columns: y.columns)
        try magnitude.scale(v, lengths: lengths, into: scaled, context)
        if context.scale != 1 { team.blend(scaled, weight: context.scale, into: y) }
        return UnsafeMutableRawPointer(kept)
    }

    func backward(
        _ dy: Matrix, ids: UnsafePointer<Int32>, kept: UnsafeMutableRawPointer?, _ context: SiteContext
    ) throws(GraftError) {
        guard let kept = kept?.assumingMemoryBound(to: Kept.self).pointee else { return }
        let scratch = context.pass.scratch
        let mark = scratch.mark
        defer { scratch.rewind(to: mark) }
        try magnitude.addGradient(
            dy, Matrix(kept.v, rows: dy.rows, columns: dy.columns), lengths: kept.lengths, context)
        let dv = try scratch.matrix(rows: dy.rows, columns: dy.columns)
        try magnitude.scale(dy, lengths: kept.lengths, into: dv, context)
        try lora.backward(dv, ids: ids, kept: kept.u, context)
    }
}
