import GraftTensor

/// What a decoder's cross-attention reads: embeddings and a stack of layers of their own, which run
/// on the rows of another stream.
package struct Encoder: Sendable {
    private let embeddings: InputEmbeddings
    private let layers: LayerStack
    private let finalNorm: Norm?
    private let finalDropout: Dropout?
    private let layerCount: Int
    private let width: Int

    package struct Kept: BitwiseCopyable {
        let embeddings: InputEmbeddings.Kept
        let layers: LayerStack.Kept
        let norm: Norm.Kept?
    }

    package init(
        embeddings: InputEmbeddings, layers: LayerStack, finalNorm: Norm?, finalDropout: Dropout? = nil,
        layerCount: Int, width: Int
    ) {
        self.embeddings = embeddings
        self.layers = layers
        self.finalNorm = finalNorm
        self.finalDropout = finalDropout
        self.layerCount = layerCount
        self.width = width
    }

    /// Runs on the tokens of `pass`, whose `states` its last states become.
    package func forward(_ pass: Pass) throws(GraftError) -> Kept {
        let keepsAny = pass.keptDepth <= layerCount
        try pass.makeVirtualRows(keeps: keepsAny)
        let embedded = try pass.arena(keeping: keepsAny).matrix(rows: pass.tokenCount, columns: width)
        let embeddingsKept = try embeddings.forward(into: embedded, pass: pass)
        // The decoder's layers read them long after the encoder's are done.
        let states = try pass.kept.matrix(rows: pass.tokenCount, columns: width)
        let gradient = keepsAny ? try pass.kept.matrix(rows: pass.tokenCount, columns: width) : nil
        gradient?.clear()
        let (hidden, layersKept) = try layers.forward(embedded, pass: pass)
        var normKept: Norm.Kept?
        if let finalNorm {
            normKept = try finalNorm.forward(hidden, into: states, keeps: keepsAny, pass: pass)
        } else {
            hidden.copy(to: states)
        }
        finalDropout?.apply(to: states, pass)
        try pass.finishLayer(layerCount, hidden: states)
        pass.states = (states, gradient)
        return Kept(embeddings: embeddingsKept, layers: layersKept, norm: normKept)
    }

    /// Backward from the gradient that the decoder's layers added up.
    package func backward(_ kept: Kept, pass: Pass) throws(GraftError) {
        guard let gradient = pass.states?.gradient else { return }
        finalDropout?.apply(to: gradient, pass)
        if let finalNorm, let norm = kept.norm { finalNorm.backward(gradient, norm, into: gradient, pass: pass) }
        if let gradient = try layers.backward(gradient, kept.layers, pass: pass) {
            try embeddings.backward(gradient, kept.embeddings, pass: pass)
        }
    }
}
