import CGraftKernels
import GraftTensor

/// y_i = f(dropout(W [x_{i-p}, …, x_{i+p}] + b)) of each row, beyond whose ends x is zero.
///
/// x [tokens, width] → y [m, width], W [width, (2p + 1) · width].
package struct Convolution: Mixer {
    private let linear: Linear
    private let activation: Activation
    /// p.
    private let reach: Int
    private let width: Int
    private let dropout: Dropout
    private let unit: Pass.Unit

    private struct Kept: BitwiseCopyable {
        let linear: Linear.Kept
        let beforeActivation: Matrix
    }

    package init(
        _ linear: Linear, _ activation: Activation, reach: Int, width: Int, dropout: Dropout, unit: Pass.Unit
    ) {
        self.linear = linear
        self.activation = activation
        self.reach = reach
        self.width = width
        self.dropout = dropout
        self.unit = unit
    }

    package func readsInput(_ pass: Pass) -> Bool { linear.readsInput(pass) }

    package func forward(
        _ x: Matrix, into y: Matrix, keeps: Bool, keepsOnly: Bool, pass: Pass
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        let windows = try pass.scratch.matrix(rows: pass.tokenCount, columns: (2 * reach + 1) * width)
        windows.clear()
        eachNeighbour(pass) { token, neighbour, column in
            (windows.base + token * windows.stride + column).update(from: x.base + neighbour * x.stride, count: width)
        }
        let asked = try pass.select(windows, unit, in: pass.scratch)
        let sum = try pass.arena(keeping: keeps).matrix(rows: y.rows, columns: width)
        let linearKept = try linear.forward(asked, into: sum, keeps: keeps, pass: pass)
        dropout.apply(to: sum, pass)
        gk_activation_forward(pass.team.kernel, activation.kernel, Int64(sum.count), sum.base, y.base)
        return keeps ? try pass.keep(Kept(linear: linearKept, beforeActivation: sum)) : nil
    }

    package func backward(
        _ dy: Matrix, _ kept: UnsafeMutableRawPointer, x: Matrix, into dx: Matrix?, accumulate: Bool, pass: Pass
    ) throws(GraftError) {
        let kept = kept.assumingMemoryBound(to: Kept.self).pointee
        let dSum = try pass.scratch.matrix(rows: dy.rows, columns: width)
        gk_activation_backward(
            pass.team.kernel, activation.kernel, Int64(dSum.count), kept.beforeActivation.base, dy.base, dSum.base)
        dropout.apply(to: dSum, pass)
        let dAsked = try dx.map { _ throws(GraftError) in
            try pass.scratch.matrix(rows: dy.rows, columns: (2 * reach + 1) * width)
        }
        try linear.backward(dSum, kept.linear, into: dAsked, pass: pass)
        guard let dx, let dAsked else { return }
        var dWindows = dAsked
        if dAsked.rows != pass.tokenCount {
            dWindows = try pass.scratch.matrix(rows: pass.tokenCount, columns: dAsked.columns)
            pass.selectBackward(dAsked, unit, into: dWindows)
        }
        if !accumulate { dx.clear() }
        eachNeighbour(pass) { token, neighbour, column in
            gk_add(
                pass.team.kernel, Int64(width), 1, dWindows.base + token * dWindows.stride + column,
                dx.base + neighbour * dx.stride)
        }
    }

    /// Each token with those of its row that it reads, and where these stand in its window.
    private func eachNeighbour(_ pass: Pass, _ body: (_ token: Int, _ neighbour: Int, _ column: Int) -> Void) {
        for row in 0..<pass.rowCount {
            let own = Int(pass.starts[row])..<Int(pass.starts[row + 1])
            for token in own {
                for neighbour in max(own.lowerBound, token - reach)..<min(own.upperBound, token + reach + 1) {
                    body(token, neighbour, (neighbour - token + reach) * width)
                }
            }
        }
    }
}
