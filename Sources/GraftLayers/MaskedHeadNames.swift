import GraftTensor

/// What the masked language class of an architecture calls the modules of its head.
package struct MaskedHeadNames: Sendable {
    /// The dense layer and the norm before the vocabulary.
    package let dense: String
    package let norm: String
    /// The matrix of the logits; a checkpoint that ties it to the embeddings lacks it.
    package let decoder: String
    /// The bias of the logits, under the first of these names that the checkpoint has.
    package let biases: [String]
    /// What follows the dense layer; nil: what the layers have.
    package let activation: Activation?

    package init(
        dense: String, norm: String, decoder: String, biases: [String], activation: Activation? = nil
    ) {
        self.dense = dense
        self.norm = norm
        self.decoder = decoder
        self.biases = biases
        self.activation = activation
    }

    /// Whether a module or a tensor is of this head.
    package func holds(_ path: String) -> Bool {
        [dense, norm, decoder].contains { path == $0 || path.hasPrefix($0 + ".") } || biases.contains(path)
    }
}
