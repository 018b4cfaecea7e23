import CGraftKernels
import GraftTensor

/// y = f(x Wᵀ + b) with frozen W [outputs, inputs]; x [m, inputs] → y [m, outputs].
///
/// Modules that read the same x (query, key and value) are one Linear of several parts, packed one
/// below the other: one product serves them all, and each part is a site of its own.
package final class Linear: @unchecked Sendable {
    /// The outputs of one site.
    package struct Part: Sendable {
        package let site: Int
        package let firstOutput: Int
        package let outputs: Int
        /// Whether an adapter's own weight is [inputs, outputs].
        let isTransposed: Bool

        package init(site: Int, firstOutput: Int, outputs: Int, isTransposed: Bool = false) {
            self.site = site
            self.firstOutput = firstOutput
            self.outputs = outputs
            self.isTransposed = isTransposed
        }
    }

    package struct Kept: BitwiseCopyable {
        let x: Matrix
        /// For each segment and part, what the action there kept.
        let actions: UnsafeMutablePointer<UnsafeMutableRawPointer?>?

        /// For a caller that computed x once more instead of keeping it.
        package func reading(_ x: Matrix) -> Kept { Kept(x: x, actions: actions) }
    }

    package let weight: PackedWeight
    /// Base biases [outputs], or nil.
    let bias: Memory?
    package let parts: [Part]
    private let unit: Pass.Unit
    /// How many layers below have the same module.
    private let repetition: Int

    package init(weight: PackedWeight, bias: Memory?, parts: [Part], unit: Pass.Unit = .tokens, repetition: Int = 0) {
        self.weight = weight
        self.bias = bias
        self.parts = parts
        self.unit = unit
        self.repetition = repetition
    }

    /// The same module in another layer, for rows of `unit`.
    package func repeated(_ repetition: Int, unit: Pass.Unit) -> Linear {
        Linear(weight: weight, bias: bias, parts: parts, unit: unit, repetition: repetition)
    }

    /// Whether an adapter of this pass needs x for its gradients.
    package func readsInput(_ pass: Pass) -> Bool {
        pass.segments.contains { segment in
            guard let adapter = segment.adapter, adapter.gradients != nil else { return false }
            return parts.contains { part in
                guard let own = adapter.at(part.site) else { return false }
                return own.action != nil || own.weight != nil
            }
        }
    }

    private func isAdapted(_ pass: Pass) -> Bool {
        pass.segments.contains { segment in
            guard let adapter = segment.adapter else { return false }
            return parts.contains { adapter.at($0.site) != nil }
        }
    }

    /// Whether an adapter of this pass does more here than to add.
    private func changesOutput(_ pass: Pass) -> Bool {
        pass.segments.contains { segment in
            parts.contains { segment.adapter?.at($0.site)?.action?.linear?.changesOutput ?? false }
        }
    }

    /// y may have more columns than there are outputs, for an adapter whose own weight has more.
    ///
    /// `beforeActivation`, of y's shape, receives what the activation was given, for the caller's
    /// backward. Where `keepsOnly`, nobody reads y, which may become anything: there is no product
    /// unless an adapter reads it.
    package func forward(
        _ x: Matrix, into y: Matrix, activation: Activation = .identity, beforeActivation: Matrix? = nil,
        keeps: Bool, keepsOnly: Bool = false, pass: Pass
    ) throws(GraftError) -> Kept {
        guard isAdapted(pass) else {
            if !keepsOnly {
                weight.multiply(
                    x, into: y, bias: bias?.floats(), activation: activation, beforeActivation: beforeActivation,
                    team: pass.team)
            }
            return Kept(x: x, actions: nil)
        }
        let multiplies = !keepsOnly || changesOutput(pass)
        // The activation waits for what the adapters add.
        let sum = beforeActivation ?? y
        let actions = try pass.arena(keeping: keeps).allocate(
            UnsafeMutableRawPointer?.self, count: pass.segments.count * parts.count)
        let mark = pass.scratch.mark
        defer { if keeps { pass.scratch.rewind(to: mark) } }
        let read = try changedInput(x, pass)
        // One product for rows of any adapters: the frozen weight is read once, which is what short
        // passes cost.
        let isTogether = bias == nil || !hasOwnBias(pass)
        if isTogether && multiplies { weight.multiply(read, into: sum, bias: bias?.floats(), team: pass.team) }
        for segment in pass.segments {
            let (first, count) = pass.range(of: segment, unit)
            let ys = sum.rows(from: first, count: count)
            if !isTogether && multiplies {
                weight.multiply(
                    read.rows(from: first, count: count), into: ys, bias: try bias(of: segment.adapter, pass),
                    team: pass.team)
            }
            guard let adapter = segment.adapter else { continue }
            for (index, part) in parts.enumerated() {
                let slot = actions + segment.index * parts.count + index
                slot.initialize(to: nil)
                guard let own = adapter.at(part.site) else { continue }
                slot.pointee = try act(
                    part, own, x.rows(from: first, count: count), read: read.rows(from: first, count: count), into: ys,
                    pass.context(
                        segment, adapter, own, site: part.site, repetition: repetition, unit: unit, keeps: keeps))
            }
        }
        if activation != .identity {
            gk_activation_forward(pass.team.kernel, activation.kernel, Int64(y.count), sum.base, y.base)
        }
        return Kept(x: x, actions: actions)
    }

    /// What an adapter does to one part of y [m, outputs], which has the product of what was
    /// `read`.
    private func act(
        _ part: Part, _ own: AttachedAdapter.BoundSite, _ x: Matrix, read: Matrix, into y: Matrix,
        _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        let yPart = y.columns(from: part.firstOutput, count: outputs(part, own))
        let module = LinearModule(self, part, own)
        let action = own.action?.linear
        if let action, action.changesInput, parts.count > 1 {
            // The others read x as it is.
            let changed = try context.pass.scratch.matrix(rows: x.rows, columns: x.columns)
            try action.before(x, into: changed, context)
            try module.multiply(changed, into: yPart, addsBias: true, context.pass)
        } else if own.weight != nil {
            try module.multiply(read, into: yPart, addsBias: true, context.pass)
        }
        return try action?.forward(x, into: yPart, module, context)
    }

    /// dx = dy W with what the adapters add to it; dx may be nil where nobody below learns. Adds to
    /// the gradients.
    package func backward(
        _ dy: Matrix, _ keptForward: Kept, into dx: Matrix?, accumulate: Bool = false, pass: Pass
    ) throws(GraftError) {
        guard isAdapted(pass) else {
            if let dx { weight.multiplyBackward(dy, into: dx, accumulate: accumulate, team: pass.team) }
            return
        }
        for segment in pass.segments {
            let (first, count) = pass.range(of: segment, unit)
            let dys = dy.rows(from: first, count: count)
            let dxs = dx?.rows(from: first, count: count)
            guard let adapter = segment.adapter else {
                if let dxs { weight.multiplyBackward(dys, into: dxs, accumulate: accumulate, team: pass.team) }
                continue
            }
            let run = SegmentRun(
                segment: segment, adapter: adapter, x: keptForward.x.rows(from: first, count: count),
                kept: keptForward.actions.map { $0 + segment.index * parts.count }, pass: pass)
            try backward(dys, into: dxs, accumulate: accumulate, run)
        }
    }

    /// The rows of one segment in backward.
    private struct SegmentRun {
        let segment: Segment
        let adapter: AttachedAdapter
        let x: Matrix
        /// For each part, what the action there kept.
        let kept: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
        let pass: Pass
    }

    private func backward(
        _ dy: Matrix, into dx: Matrix?, accumulate: Bool, _ run: SegmentRun
    ) throws(GraftError) {
        let (adapter, pass) = (run.adapter, run.pass)
        func context(_ part: Part, _ own: AttachedAdapter.BoundSite) -> SiteContext {
            pass.context(run.segment, adapter, own, site: part.site, repetition: repetition, unit: unit, keeps: true)
        }
        // First back through what changed y, then through the weights and what changed x, last
        // through what was added.
        let whole = dy
        var dy = dy
        if parts.contains(where: { adapter.at($0.site)?.action?.linear?.changesOutput ?? false }) {
            dy = try copy(dy, pass)
            for (index, part) in parts.enumerated() {
                guard let own = adapter.at(part.site), let action = own.action?.linear, action.changesOutput else {
                    continue
                }
                try action.backwardOutput(
                    dy.columns(from: part.firstOutput, count: outputs(part, own)), kept: run.kept?[index],
                    context(part, own))
            }
        }
        try backwardThroughWeights(dy, into: dx, accumulate: accumulate, run, context)
        for (index, part) in parts.enumerated() {
            guard let own = adapter.at(part.site) else { continue }
            let dyPart = dy.columns(from: part.firstOutput, count: outputs(part, own))
            let action = own.action?.linear
            if let gradients = own.bias?.gradients {
                let dBias = (action?.multipliesBias ?? true ? dy : whole).columns(
                    from: part.firstOutput, count: part.outputs)
                gk_add_column_sums(
                    pass.team.kernel, Int64(dy.rows), Int64(part.outputs), dBias.base, Int64(dBias.stride), gradients)
            }
            guard let action else { continue }
            try action.backward(
                dyPart, x: run.x, kept: run.kept?[index], into: dx, LinearModule(self, part, own), context(part, own))
        }
    }

    /// dx = dy W through the frozen weight, adapters' own weights, and what changed x before them.
    private func backwardThroughWeights(
        _ dy: Matrix, into dx: Matrix?, accumulate: Bool, _ run: SegmentRun,
        _ context: (Part, AttachedAdapter.BoundSite) -> SiteContext
    ) throws(GraftError) {
        let (adapter, pass) = (run.adapter, run.pass)
        /// Parts whose gradient has a way of its own to dx.
        func isApart(_ own: AttachedAdapter.BoundSite?) -> Bool {
            own?.weight != nil || own?.action?.linear?.changesInput ?? false
        }
        var accumulates = accumulate
        if let dx, !parts.allSatisfy({ isApart(adapter.at($0.site)) }) {
            let base = try without(dy, pass) { isApart(adapter.at($0.site)) }
            weight.multiplyBackward(base, into: dx, accumulate: accumulate, team: pass.team)
            accumulates = true
        }
        for part in parts {
            guard let own = adapter.at(part.site), isApart(own) else { continue }
            let dyPart = dy.columns(from: part.firstOutput, count: outputs(part, own))
            let action = own.action?.linear
            guard let action, action.changesInput else {
                if let dx, !accumulates { dx.clear() }
                accumulates = true
                if let weight = own.weight { replaceBackward(weight, part, dyPart, x: run.x, into: dx, pass) }
                continue
            }
            let gradient = try pass.scratch.matrix(rows: dy.rows, columns: weight.inputs)
            if let replacement = own.weight {
                let read = try pass.scratch.matrix(rows: dy.rows, columns: weight.inputs)
                try action.before(run.x, into: read, context(part, own))
                replaceBackward(replacement, part, dyPart, x: read, into: nil, pass)
            }
            try LinearModule(self, part, own).multiplyBackward(dyPart, into: gradient, pass)
            try action.backwardInput(gradient, x: run.x, context(part, own))
            if let dx {
                if !accumulates { dx.clear() }
                pass.team.add(gradient, to: dx)
            }
            accumulates = true
        }
    }

    /// x as the product reads it: x itself, or a copy with the rows of those adapters changed that
    /// do.
    private func changedInput(_ x: Matrix, _ pass: Pass) throws(GraftError) -> Matrix {
        guard parts.count == 1, let part = parts.first,
            pass.segments.contains(where: { $0.adapter?.at(part.site)?.action?.linear?.changesInput ?? false })
        else { return x }
        let changed = try pass.scratch.matrix(rows: x.rows, columns: x.columns)
        for segment in pass.segments {
            let (first, count) = pass.range(of: segment, unit)
            let (from, to) = (x.rows(from: first, count: count), changed.rows(from: first, count: count))
            if let adapter = segment.adapter, let own = adapter.at(part.site), let action = own.action?.linear,
                action.changesInput
            {
                let context = pass.context(
                    segment, adapter, own, site: part.site, repetition: repetition, unit: unit, keeps: false)
                try action.before(from, into: to, context)
            } else {
                from.copy(to: to)
            }
        }
        return changed
    }

    /// dy, or a copy that is zero in some parts.
    private func without(
        _ dy: Matrix, _ pass: Pass, _ isLeftOut: (Part) -> Bool
    ) throws(GraftError) -> Matrix {
        guard parts.contains(where: isLeftOut) else { return dy }
        let copy = try copy(dy, pass)
        for part in parts where isLeftOut(part) { copy.columns(from: part.firstOutput, count: part.outputs).clear() }
        return copy
    }

    private func copy(_ dy: Matrix, _ pass: Pass) throws(GraftError) -> Matrix {
        let copy = try pass.scratch.matrix(rows: dy.rows, columns: dy.columns)
        dy.copy(to: copy)
        return copy
    }
}
