import GraftTensor

/// The layers of a model, one after the other; each is its sub-layers, one after the other.
package struct LayerStack: Sendable {
    private let layers: [[Sublayer]]
    /// Of what the first layer is given: see `ModelShape`.
    private let depth: Int

    package struct Kept: BitwiseCopyable {
        /// Of each sub-layer; nil for those below the pass's `keptDepth`, and for those that run
        /// again.
        fileprivate let sublayers: UnsafeMutablePointer<Sublayer.Kept?>
        /// What each layer was given.
        fileprivate let inputs: UnsafeMutablePointer<Matrix>
        /// What the last sub-layer of the last layer was given.
        fileprivate var lastInput: Matrix
        /// Behind all that is kept of the layers before the last.
        fileprivate var beforeLast: Arena.Mark
    }

    package init(layers: [[Sublayer]], depth: Int = 0) {
        self.layers = layers
        self.depth = depth
    }

    /// h [m, width] from x [tokens, width], in whose memory it may be.
    package func forward(_ x: Matrix, pass: Pass) throws(GraftError) -> (h: Matrix, kept: Kept) {
        var kept = Kept(
            sublayers: try pass.kept.allocate(Sublayer.Kept?.self, count: layers.reduce(0) { $0 + $1.count }),
            inputs: try pass.kept.allocate(Matrix.self, count: layers.count), lastInput: x, beforeLast: pass.kept.mark)
        var next = kept.sublayers
        // Layers that keep nothing take turns in two matrices.
        var x = x
        var spare = try pass.scratch.matrix(rows: x.rows, columns: x.columns)
        for (index, layer) in layers.enumerated() {
            try pass.finishLayer(index, hidden: x)
            let mark = pass.scratch.mark
            defer { pass.scratch.rewind(to: mark) }
            let keeps = pass.keeps(atDepth: depth + index + 1)
            kept.inputs[index] = x
            kept.beforeLast = pass.kept.mark
            let before = x
            for (position, sublayer) in layer.enumerated() {
                let count = pass.count(sublayer.unit)
                let isLast = position + 1 == layer.count
                let runsAgain = pass.runsLayersAgain && (isLast || index + 1 < layers.count)
                let keepsInside = keeps && !runsAgain
                kept.lastInput = x
                let y =
                    isLast && !keeps
                    ? spare.rows(from: 0, count: count)
                    : try pass.arena(keeping: isLast || keepsInside).matrix(rows: count, columns: x.columns)
                next.initialize(to: try sublayer.forward(x, origin: before, into: y, keeps: keepsInside, pass: pass))
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
        var next = kept.sublayers + layers.reduce(0) { $0 + $1.count }
        for (index, layer) in layers.enumerated().reversed() where pass.keeps(atDepth: depth + index + 1) {
            try pass.cancelToken?.check()
            let isLast = index + 1 == layers.count
            // Behind the last layer's backward nothing is needed of what came after it, either.
            let mark = isLast && pass.runsLayersAgain ? kept.beforeLast : pass.kept.mark
            defer { pass.kept.rewind(to: mark) }
            let lastInput =
                pass.runsLayersAgain && !isLast
                ? try forward(layer, index, kept, into: next - layer.count, pass: pass) : kept.lastInput
            var dx: Matrix?
            if pass.keeps(atDepth: depth + index) {
                dx =
                    gradient.rows == pass.tokenCount
                    ? gradient : try pass.scratch.matrix(rows: pass.tokenCount, columns: gradient.columns)
            }
            var dOrigin: Matrix?
            if dx != nil, layer.contains(where: \.mixesOrigin) {
                dOrigin = try pass.scratch.matrix(rows: pass.tokenCount, columns: gradient.columns)
            }
            for (position, sublayer) in layer.enumerated().reversed() {
                next -= 1
                let continues = dx != nil || layer[..<position].contains { $0.learns(pass) }
                let below = position == 0 ? dx : continues ? gradient : nil
                let origin = (o: kept.inputs[index], gradient: dOrigin)
                if let sublayerKept = next.pointee {
                    try sublayer.backward(gradient, sublayerKept, into: below, origin: origin, pass: pass)
                } else {
                    try sublayer.backwardAgain(gradient, lastInput, into: below, origin: origin, pass: pass)
                }
                guard continues else { return nil }
            }
            if let dx, let dOrigin { pass.team.add(dOrigin, to: dx) }
            gradient = dx ?? gradient
        }
        return pass.keeps(atDepth: depth) ? gradient : nil
    }

    /// A layer once more but for its last sub-layer, which now keeps what backward needs: the same
    /// bits, since dropout counts by places. Returns what the last one is given.
    private func forward(
        _ layer: [Sublayer], _ index: Int, _ kept: Kept, into next: UnsafeMutablePointer<Sublayer.Kept?>, pass: Pass
    ) throws(GraftError) -> Matrix {
        var x = kept.inputs[index]
        for (position, sublayer) in layer.dropLast().enumerated() {
            let y = try pass.kept.matrix(rows: pass.count(sublayer.unit), columns: x.columns)
            next[position] = try sublayer.forward(x, origin: kept.inputs[index], into: y, keeps: true, pass: pass)
            x = y
        }
        return x
    }
}
