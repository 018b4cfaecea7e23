import GraftTensor

/// Numbers of adapters in the place of the frozen ones.
extension Linear {
    func hasOwnBias(_ pass: Pass) -> Bool {
        pass.segments.contains { segment in parts.contains { segment.adapter?.at($0.site)?.bias != nil } }
    }

    /// The base biases [outputs] with an adapter's own in their places.
    func bias(of adapter: AttachedAdapter?, _ pass: Pass) throws(GraftError) -> UnsafePointer<Float>? {
        guard let bias else { return nil }
        guard let adapter, parts.contains(where: { adapter.at($0.site)?.bias != nil }) else {
            return UnsafePointer(bias.floats())
        }
        let composed = try pass.scratch.allocate(Float.self, count: weight.outputs)
        composed.update(from: bias.floats(), count: weight.outputs)
        for part in parts {
            guard let own = adapter.at(part.site)?.bias else { continue }
            (composed + part.firstOutput).update(from: own.values, count: part.outputs)
        }
        return UnsafePointer(composed)
    }

    /// Outputs of a part: of an adapter's own weight as many as that has rows.
    func outputs(_ part: Part, _ own: AttachedAdapter.BoundSite) -> Int {
        own.weight.map { $0.count / weight.inputs } ?? part.outputs
    }

    /// An adapter's own weight, or its gradient, as the checkpoint has it: [outputs, inputs], or
    /// [inputs, outputs].
    private func matrix(_ values: UnsafeMutablePointer<Float>, _ part: Part, _ outputs: Int) -> Matrix {
        Matrix(
            values, rows: part.isTransposed ? weight.inputs : outputs,
            columns: part.isTransposed ? outputs : weight.inputs)
    }

    /// y = x Wᵀ + b with the adapter's own, over what the frozen ones gave.
    func replace(
        _ own: AttachedAdapter.Replacement, _ part: Part, bias: AttachedAdapter.Replacement?, _ x: Matrix,
        into y: Matrix, _ pass: Pass
    ) {
        // The bias comes first so that the product may add to it.
        for row in 0..<y.rows {
            if let bias {
                (y.base + row * y.stride).update(from: bias.values, count: y.columns)
            } else {
                (y.base + row * y.stride).update(repeating: 0, count: y.columns)
            }
        }
        pass.team.multiply(
            x, matrix(own.values, part, y.columns), transposeB: !part.isTransposed, adding: 1, into: y)
    }

    func replaceBackward(
        _ own: AttachedAdapter.Replacement, _ part: Part, _ dy: Matrix, x: Matrix?, into dx: Matrix?, _ pass: Pass
    ) {
        if let x, let gradients = own.gradients {
            let (left, right) = part.isTransposed ? (x, dy) : (dy, x)
            pass.team.multiply(left, right, transposeA: true, adding: 1, into: matrix(gradients, part, dy.columns))
        }
        if let dx {
            pass.team.multiply(
                dy, matrix(own.values, part, dy.columns), transposeB: part.isTransposed, adding: 1, into: dx)
        }
    }
}
