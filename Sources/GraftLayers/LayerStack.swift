import GraftTensor

/// The layers of a model, one after the other; each is its sub-layers, one after the other.
package struct LayerStack: Sendable {
    private let layers: [[Sublayer]]
    /// Of what the first layer is given: see `ModelShape`.
    private let depth: Int

    /// What each sub-layer kept; nil for those below the pass's `keptDepth`.
    package typealias Kept = UnsafeMutablePointer<Sublayer.Kept?>

    package init(layers: [[Sublayer]], depth: Int = 0) {
        self.layers = layers
        self.depth = depth
    }

    /// h [m, width] from x [tokens, width], in whose memory it may be.
    package func forward(_ x: Matrix, pass: Pass) throws(GraftError) -> (h: Matrix, kept: Kept) {
        let kept = try pass.kept.allocate(Sublayer.Kept?.self, count: layers.reduce(0) { $0 + $1.count })
        var next = kept
        // Layers that keep nothing take turns in two matrices.
        var x = x
        var spare = try pass.scratch.matrix(rows: x.rows, columns: x.columns)
        for (index, layer) in layers.enumerated() {
            try pass.finishLayer(index, hidden: x)
            let mark = pass.scratch.mark
            defer { pass.scratch.rewind(to: mark) }
            let keeps = pass.keeps(atDepth: depth + index + 1)
            let before = x
            for (position, sublayer) in layer.enumerated() {
                let count = pass.count(sublayer.unit)
                let isLast = position + 1 == layer.count
                let y =
                    isLast && !keeps
                    ? spare.rows(from: 0, count: count)
                    : try pass.arena(keeping: keeps).matrix(rows: count, columns: x.columns)
                next.initialize(to: try sublayer.forward(x, into: y, keeps: keeps, pass: pass))
                next += 1
                x = y
            }
            if !keeps { spare = before }
        }
        return (x, kept)
    }

    /// Down to the pass's `keptDepth`. Returns d(x) from d(h), which is overwritten, where the
    /// embeddings learn.
    package func backward(_ dh: Matrix, _ kept: Kept, pass: Pass) throws(GraftError) -> Matrix? {
        var gradient = dh
        var next = kept + layers.reduce(0) { $0 + $1.count }
        for (index, layer) in layers.enumerated().reversed() where pass.keeps(atDepth: depth + index + 1) {
            try pass.cancelToken?.check()
            var dx: Matrix?
            if pass.keeps(atDepth: depth + index) {
                dx =
                    gradient.rows == pass.tokenCount
                    ? gradient : try pass.scratch.matrix(rows: pass.tokenCount, columns: gradient.columns)
            }
            for (position, sublayer) in layer.enumerated().reversed() {
                next -= 1
                guard let sublayerKept = next.pointee else { return nil }
                let continues = dx != nil || layer[..<position].contains { $0.learns(pass) }
                let below = position == 0 ? dx : continues ? gradient : nil
                try sublayer.backward(gradient, sublayerKept, into: below, pass: pass)
                guard continues else { return nil }
            }
            gradient = dx ?? gradient
        }
        return pass.keeps(atDepth: depth) ? gradient : nil
    }
}
