import GraftTensor

/// The module at a linear site as an action sees it: W [outputs, inputs] and b [outputs], the
/// model's or an adapter's own.
package struct LinearModule {
    private let linear: Linear
    private let part: Linear.Part
    private let own: AttachedAdapter.BoundSite

    init(_ linear: Linear, _ part: Linear.Part, _ own: AttachedAdapter.BoundSite) {
        self.linear = linear
        self.part = part
        self.own = own
    }

    package var outputs: Int { linear.outputs(part, own) }

    /// nil where there is none.
    package var bias: UnsafeMutablePointer<Float>? {
        if let bias = own.bias { return bias.values }
        return own.weight == nil ? linear.bias.map { $0.floats() + part.firstOutput } : nil
    }

    /// y = x Wᵀ, or y = x Wᵀ + b.
    package func multiply(_ x: Matrix, into y: Matrix, addsBias: Bool = false, _ pass: Pass) throws(GraftError) {
        if let weight = own.weight {
            return linear.replace(weight, part, bias: addsBias ? own.bias : nil, x, into: y, pass)
        }
        let all = try product(like: y, pass)
        var bias: UnsafeMutablePointer<Float>?
        if addsBias, let own = self.bias {
            // The product has a bias for each of its outputs; those of other modules are not read.
            let whole = try pass.scratch.allocate(Float.self, count: linear.weight.outputs)
            whole.update(repeating: 0, count: linear.weight.outputs)
            (whole + part.firstOutput).update(from: own, count: part.outputs)
            bias = whole
        }
        linear.weight.multiply(x, into: all, bias: bias, team: pass.team)
        if all.base != y.base { columns(all).copy(to: y) }
    }

    /// dx = dy W.
    package func multiplyBackward(_ dy: Matrix, into dx: Matrix, _ pass: Pass) throws(GraftError) {
        if let weight = own.weight {
            dx.clear()
            return linear.replaceBackward(weight, part, dy, x: nil, into: dx, pass)
        }
        let all = try product(like: dy, pass)
        if all.base != dy.base {
            all.clear()
            dy.copy(to: columns(all))
        }
        linear.weight.multiplyBackward(all, into: dx, accumulate: false, team: pass.team)
    }

    /// Rows `first ..< first + rows.rows` of W. An adapter's own is not stored by columns here: no
    /// method adapts what is its adapter's in full.
    package func copyRows(from first: Int, into rows: Matrix) {
        if let weight = own.weight {
            Matrix(weight.values, rows: outputs, columns: rows.columns).rows(from: first, count: rows.rows).copy(
                to: rows)
        } else {
            linear.weight.unpack(firstRow: part.firstOutput + first, rowCount: rows.rows, into: rows.base)
        }
    }

    /// The matrix itself, or room for all outputs of the product where the module's are some.
    private func product(like y: Matrix, _ pass: Pass) throws(GraftError) -> Matrix {
        part.outputs == linear.weight.outputs
            ? y : try pass.scratch.matrix(rows: y.rows, columns: linear.weight.outputs)
    }

    private func columns(_ all: Matrix) -> Matrix { all.columns(from: part.firstOutput, count: part.outputs) }
}
