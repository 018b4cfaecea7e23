/// A point of a model where an adapter may act. Models name their sites; methods choose among them.
package struct Site: Sendable {
    package enum Kind: Sendable {
        /// y = x Wᵀ + b.
        case linear
        /// A norm's scale and, where it has one, its bias.
        case norm
        /// Rows of a table, chosen by id: `inputs` is the number of rows, `outputs` their width.
        case embedding
    }

    /// The module's name in the checkpoint, below the backbone: "encoder.layer.3.attention.self.query".
    package let path: String
    package let kind: Kind
    package let inputs: Int
    package let outputs: Int
    package let hasBias: Bool
    /// 0 for what comes before the first layer, then 1 … layer count, then layer count + 1 for what comes after.
    package let depth: Int

    package init(path: String, kind: Kind, inputs: Int, outputs: Int, hasBias: Bool, depth: Int) {
        self.path = path
        self.kind = kind
        self.inputs = inputs
        self.outputs = outputs
        self.hasBias = hasBias
        self.depth = depth
    }
}
