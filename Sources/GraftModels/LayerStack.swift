import GraftLayers
import GraftTensor

/// One layer of a model: x [tokens, hidden] → y [m, hidden].
protocol StackedLayer: Sendable {
    associatedtype Kept: BitwiseCopyable

    /// Of y: tokens, but in the last layer those that are read.
    var unit: Pass.Unit { get }
    func forward(_ x: Matrix, into y: Matrix, keeps: Bool, pass: Pass) throws(GraftError) -> Kept?
    /// d(x) from d(y), which is overwritten; dx is the same matrix where x and y have the same rows, or nil where only the
    /// adapters' gradients are wanted.
    func backward(_ gradient: Matrix, _ kept: Kept, into dx: Matrix?, pass: Pass) throws(GraftError)
}

/// The layers of a model, one after the other.
struct LayerStack<Layer: StackedLayer>: Sendable {
    let layers: [Layer]

    /// What each layer kept; nil for those below the pass's `keptDepth`.
    typealias Kept = UnsafeMutablePointer<Layer.Kept?>

    /// h [m, hidden] from x [tokens, hidden], in whose memory it may be.
    func forward(_ x: Matrix, pass: Pass) throws(GraftError) -> (h: Matrix, kept: Kept) {
        let kept = try pass.kept.allocate(Layer.Kept?.self, count: layers.count)
        // Layers that keep nothing take turns in two matrices.
        var x = x
        var spare = try pass.scratch.matrix(rows: x.rows, columns: x.columns)
        for (index, layer) in layers.enumerated() {
            try pass.finishLayer(index, hidden: x)
            let keeps = pass.keeps(atDepth: index + 1)
            let count = pass.count(layer.unit)
            let y =
                keeps ? try pass.kept.matrix(rows: count, columns: x.columns) : spare.rows(from: 0, count: count)
            (kept + index).initialize(to: try layer.forward(x, into: y, keeps: keeps, pass: pass))
            if !keeps { spare = x }
            x = y
        }
        return (x, kept)
    }

    /// Down to the pass's `keptDepth`. Returns d(x) from d(h), which is overwritten, where the embeddings learn.
    func backward(_ dh: Matrix, _ kept: Kept, pass: Pass) throws(GraftError) -> Matrix? {
        var gradient = dh
        for (index, layer) in layers.enumerated().reversed() where pass.keeps(atDepth: index + 1) {
            try pass.cancelToken?.check()
            guard let layerKept = kept[index] else { return nil }
            var dx: Matrix?
            if pass.keeps(atDepth: index) {
                dx =
                    gradient.rows == pass.tokenCount
                    ? gradient : try pass.scratch.matrix(rows: pass.tokenCount, columns: gradient.columns)
            }
            try layer.backward(gradient, layerKept, into: dx, pass: pass)
            gradient = dx ?? gradient
        }
        return pass.keeps(atDepth: 0) ? gradient : nil
    }
}
