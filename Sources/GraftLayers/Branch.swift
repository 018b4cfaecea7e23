import CGraftKernels
import GraftTensor

/// The end of a sub-layer: its output x [m, width], changed in place by what adapters do there,
/// before it joins the residual stream t. Where no adapter acts this costs nothing.
package struct Branch: Sendable {
    private let site: Int
    private let unit: Pass.Unit
    /// How many layers below have the same module.
    private let repetition: Int

    package struct Kept: BitwiseCopyable {
        /// What each segment's action kept; nil where no adapter acts.
        let actions: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
        let residual: Matrix
    }

    package init(site: Int, unit: Pass.Unit, repetition: Int = 0) {
        self.site = site
        self.unit = unit
        self.repetition = repetition
    }

    /// The same place of another layer, for rows of `unit`.
    package func repeated(_ repetition: Int, unit: Pass.Unit) -> Branch {
        Branch(site: site, unit: unit, repetition: repetition)
    }

    package func isAdapted(_ pass: Pass) -> Bool {
        pass.segments.contains { $0.adapter?.at(site)?.action?.hidden != nil }
    }

    /// x ← action(x, t) for the rows of each segment whose adapter acts here. `norm` is the model's
    /// norm of x + t, if any.
    package func forward(
        _ x: Matrix, residual t: Matrix, norm: LayerNorm? = nil, keeps: Bool, pass: Pass
    ) throws(GraftError) -> Kept {
        guard isAdapted(pass) else { return Kept(actions: nil, residual: t) }
        let actions = try pass.arena(keeping: keeps).allocate(
            UnsafeMutableRawPointer?.self, count: pass.segments.count)
        for segment in pass.segments {
            (actions + segment.index).initialize(to: nil)
            guard let adapter = segment.adapter, let own = adapter.at(site), let action = own.action?.hidden else {
                continue
            }
            let (first, count) = pass.range(of: segment, unit)
            actions[segment.index] = try action.forward(
                x.rows(from: first, count: count), residual: t.rows(from: first, count: count), norm: norm,
                pass.context(segment, adapter, own, site: site, repetition: repetition, unit: unit, keeps: keeps))
        }
        return Kept(actions: actions, residual: t)
    }

    /// d(x) from d(x + t), which becomes d(t): the same matrix, or one in scratch memory where an
    /// adapter tells them apart.
    package func backward(
        _ gradient: Matrix, _ kept: Kept, norm: LayerNorm? = nil, pass: Pass
    ) throws(GraftError) -> Matrix {
        guard kept.actions != nil else { return gradient }
        let dx = try pass.scratch.matrix(rows: gradient.rows, columns: gradient.columns)
        gradient.copy(to: dx)
        try backward(dx, kept, norm: norm, into: gradient, pass: pass)
        return dx
    }

    /// Turns d(changed x) in place into d(x), and adds to dt what adapters read of t.
    func backward(
        _ dx: Matrix, _ kept: Kept, norm: LayerNorm? = nil, into dt: Matrix, pass: Pass
    ) throws(GraftError) {
        guard let actions = kept.actions else { return }
        for segment in pass.segments {
            guard let adapter = segment.adapter, let own = adapter.at(site), let action = own.action?.hidden,
                let actionKept = actions[segment.index]
            else { continue }
            let (first, count) = pass.range(of: segment, unit)
            try action.backward(
                dx.rows(from: first, count: count), kept: actionKept,
                residual: kept.residual.rows(from: first, count: count),
                into: dt.rows(from: first, count: count), norm: norm,
                pass.context(segment, adapter, own, site: site, repetition: repetition, unit: unit, keeps: true))
        }
    }
}
