import CGraftKernels
import GraftTensor

/// y = f(x Wᵀ + b) with frozen W [outputs, inputs]; x [m, inputs] → y [m, outputs].
///
/// Modules that read the same x (query, key and value) are one Linear of several parts, packed one below the other:
/// one product serves them all, and each part is a site of its own.
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
        /// For each segment and part, what the delta there kept.
        let deltas: UnsafeMutablePointer<Matrix?>?

        /// For a caller that computed x once more instead of keeping it.
        package func reading(_ x: Matrix) -> Kept { Kept(x: x, deltas: deltas) }
    }

    package let weight: PackedWeight
    /// Base biases [outputs], or nil.
    private let bias: Memory?
    package let parts: [Part]
    private let unit: Pass.Unit

    package init(weight: PackedWeight, bias: Memory?, parts: [Part], unit: Pass.Unit = .tokens) {
        self.weight = weight
        self.bias = bias
        self.parts = parts
        self.unit = unit
    }

    /// Whether an adapter of this pass needs x for its gradients.
    package func readsInput(_ pass: Pass) -> Bool {
        pass.segments.contains { segment in
            guard let adapter = segment.adapter, adapter.gradients != nil else { return false }
            return parts.contains { part in
                guard let action = adapter.at(part.site) else { return false }
                return action.delta != nil || action.weight != nil
            }
        }
    }

    private func isAdapted(_ pass: Pass) -> Bool {
        pass.segments.contains { segment in
            guard let adapter = segment.adapter else { return false }
            return parts.contains { adapter.at($0.site) != nil }
        }
    }

    /// y may have more columns than there are outputs, for an adapter whose own weight has more.
    ///
    /// `beforeActivation`, of y's shape, receives what the activation was given, for the caller's backward.
    package func forward(
        _ x: Matrix, into y: Matrix, activation: Activation = .identity, beforeActivation: Matrix? = nil,
        keeps: Bool, pass: Pass
    ) throws(GraftError) -> Kept {
        guard isAdapted(pass) else {
            weight.multiply(
                x, into: y, bias: bias?.floats(), activation: activation, beforeActivation: beforeActivation,
                team: pass.team)
            return Kept(x: x, deltas: nil)
        }
        // The activation waits for what the adapters add.
        let sum = beforeActivation ?? y
        let deltas = try pass.arena(keeping: keeps).allocate(Matrix?.self, count: pass.segments.count * parts.count)
        // One product for rows of any adapters: the frozen weight is read once, which is what short passes cost.
        let isTogether = bias == nil || !hasOwnBias(pass)
        if isTogether { weight.multiply(x, into: sum, bias: bias?.floats(), team: pass.team) }
        for (index, segment) in pass.segments.enumerated() {
            let (first, count) = pass.range(of: segment, unit)
            let xs = x.rows(from: first, count: count)
            let ys = sum.rows(from: first, count: count)
            if !isTogether {
                let bias = try segment.adapter.map { adapter throws(GraftError) in try composedBias(adapter, pass) }
                weight.multiply(xs, into: ys, bias: bias ?? UnsafePointer(self.bias?.floats()), team: pass.team)
            }
            guard let adapter = segment.adapter else { continue }
            for (partIndex, part) in parts.enumerated() {
                let slot = index * parts.count + partIndex
                (deltas + slot).initialize(to: nil)
                guard let action = adapter.at(part.site) else { continue }
                let yPart = ys.columns(from: part.firstOutput, count: outputs(part, action))
                let context = pass.context(segment, adapter, site: part.site, unit: unit, keeps: keeps)
                if let replacement = action.weight {
                    try replace(replacement, part, bias: action.bias, xs, into: yPart, context)
                }
                if let delta = action.delta {
                    deltas[slot] = try delta.forward(.rows(xs), into: yPart, context)
                }
            }
        }
        if activation != .identity {
            gk_activation_forward(pass.team.kernel, activation.kernel, Int64(y.count), sum.base, y.base)
        }
        return Kept(x: x, deltas: deltas)
    }

    /// dx = dy W with what the adapters add to it; dx may be nil where nobody below learns. Adds to the gradients.
    package func backward(
        _ dy: Matrix, _ keptForward: Kept, into dx: Matrix?, accumulate: Bool = false, pass: Pass
    ) throws(GraftError) {
        guard isAdapted(pass) else {
            if let dx { weight.multiplyBackward(dy, into: dx, accumulate: accumulate, team: pass.team) }
            return
        }
        for (index, segment) in pass.segments.enumerated() {
            let (first, count) = pass.range(of: segment, unit)
            let xs = keptForward.x.rows(from: first, count: count)
            let dys = dy.rows(from: first, count: count)
            let dxs = dx?.rows(from: first, count: count)
            guard let adapter = segment.adapter else {
                if let dxs { weight.multiplyBackward(dys, into: dxs, accumulate: accumulate, team: pass.team) }
                continue
            }
            if let dxs {
                let base = try withoutReplacedParts(dys, adapter, pass)
                weight.multiplyBackward(base, into: dxs, accumulate: accumulate, team: pass.team)
            }
            for (partIndex, part) in parts.enumerated() {
                guard let action = adapter.at(part.site) else { continue }
                let dyPart = dys.columns(from: part.firstOutput, count: outputs(part, action))
                let context = pass.context(segment, adapter, site: part.site, unit: unit, keeps: true)
                if let bias = action.bias, let gradient = context.gradients(bias) {
                    gk_add_column_sums(
                        pass.team.kernel, Int64(count), Int64(part.outputs), dyPart.base, Int64(dyPart.stride),
                        gradient)
                }
                if let replacement = action.weight {
                    replaceBackward(replacement, part, dyPart, x: xs, into: dxs, context)
                }
                if let delta = action.delta {
                    let slot = index * parts.count + partIndex
                    try delta.backward(
                        dyPart, input: .rows(xs), kept: keptForward.deltas?[slot], into: dxs, context)
                }
            }
        }
    }

    private func hasOwnBias(_ pass: Pass) -> Bool {
        pass.segments.contains { segment in parts.contains { segment.adapter?.at($0.site)?.bias != nil } }
    }

    /// The base biases with the adapter's own in their places.
    private func composedBias(_ adapter: AttachedAdapter, _ pass: Pass) throws(GraftError) -> UnsafePointer<Float>? {
        guard let bias else { return nil }
        let composed = try pass.scratch.allocate(Float.self, count: weight.outputs)
        composed.update(from: bias.floats(), count: weight.outputs)
        for part in parts {
            if let own = adapter.at(part.site)?.bias {
                (composed + part.firstOutput).update(from: adapter.values + own.offset, count: part.outputs)
            }
        }
        return UnsafePointer(composed)
    }

    /// An adapter's own weight, or its gradient, as the checkpoint has it: [outputs, inputs], or [inputs, outputs].
    private func matrix(_ values: UnsafeMutablePointer<Float>, _ part: Part, _ outputs: Int) -> Matrix {
        Matrix(
            values, rows: part.isTransposed ? weight.inputs : outputs,
            columns: part.isTransposed ? outputs : weight.inputs)
    }

    /// Outputs of a part: of an adapter's own weight as many as that has rows.
    private func outputs(_ part: Part, _ action: SiteAdapter) -> Int {
        action.weight.map { $0.count / weight.inputs } ?? part.outputs
    }

    private func replace(
        _ parameter: Parameter, _ part: Part, bias own: Parameter?, _ x: Matrix, into y: Matrix,
        _ context: SiteContext
    ) throws(GraftError) {
        // The product overwrites what the frozen weight gave; the bias comes first so that it may add to it.
        let source = own.map { context.values($0) }
        for row in 0..<y.rows {
            if let source {
                (y.base + row * y.stride).update(from: source, count: y.columns)
            } else {
                (y.base + row * y.stride).update(repeating: 0, count: y.columns)
            }
        }
        context.pass.team.multiply(
            x, matrix(context.values(parameter), part, y.columns), transposeB: !part.isTransposed, adding: 1, into: y)
    }

    private func replaceBackward(
        _ parameter: Parameter, _ part: Part, _ dy: Matrix, x: Matrix, into dx: Matrix?, _ context: SiteContext
    ) {
        let team = context.pass.team
        if let gradients = context.gradients(parameter) {
            let (left, right) = part.isTransposed ? (x, dy) : (dy, x)
            team.multiply(left, right, transposeA: true, adding: 1, into: matrix(gradients, part, dy.columns))
        }
        if let dx {
            team.multiply(
                dy, matrix(context.values(parameter), part, dy.columns), transposeB: part.isTransposed, adding: 1,
                into: dx)
        }
    }

    /// dy as the frozen weight sees it: zero where an adapter's own weight took its place.
    private func withoutReplacedParts(
        _ dy: Matrix, _ adapter: AttachedAdapter, _ pass: Pass
    ) throws(GraftError) -> Matrix {
        guard parts.contains(where: { adapter.at($0.site)?.weight != nil }) else { return dy }
        let copy = try pass.scratch.matrix(rows: dy.rows, columns: dy.columns)
        for row in 0..<dy.rows {
            (copy.base + row * copy.stride).update(from: dy.base + row * dy.stride, count: dy.columns)
            for part in parts where adapter.at(part.site)?.weight != nil {
                (copy.base + row * copy.stride + part.firstOutput).update(repeating: 0, count: part.outputs)
            }
        }
        return copy
    }
}
