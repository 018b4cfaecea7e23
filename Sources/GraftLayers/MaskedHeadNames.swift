import GraftTensor

/// What the masked language class of an architecture calls the modules of its head.
package struct MaskedHeadNames: Sendable {
    /// The dense layer and the norm before the vocabulary.
    package let dense: String
    package let norm: String
    /// The matrix of the logits; a checkpoint that ties it to the embeddings lacks it. nil where
    /// the class has no such module, but multiplies by the table of the embeddings.
    package let decoder: String?
    /// The bias of the logits, under the first of these names that the checkpoint has.
    package let biases: [String]
    /// What follows the dense layer; nil: what the layers have.
    package let activation: Activation?

    package init(
        dense: String, norm: String, decoder: String?, biases: [String], activation: Activation? = nil
    ) {
        self.dense = dense
        self.norm = norm
        self.decoder = decoder
        self.biases = biases
        self.activation = activation
    }

    /// Whether a module or a tensor is of this head.
    func holds(_ path: String) -> Bool {
        [dense, norm, decoder].contains { module in module.map { path.isWithin($0) } ?? false } || biases.contains(path)
    }

    /// The dense layer where it is one of all linear modules: PEFT leaves out what a class calls
    /// its output embeddings, and without a matrix of the logits that is the dense layer.
    package var innerDense: String? { decoder == nil ? nil : dense }
}

extension String {
    /// Whether it is a module's path or of something in that module.
    func isWithin(_ module: String) -> Bool { self == module || hasPrefix(module + ".") }
}
