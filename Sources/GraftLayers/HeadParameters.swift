import GraftTensor

/// An adapter's own output layers: those of `dense` with their activation, then the logits, with
/// dropout before each.
package struct HeadParameters: Sendable {
    /// [hidden, hidden], [hidden].
    package struct Dense: BitwiseCopyable, Sendable {
        package let weight: Parameter
        package let bias: Parameter

        package init(weight: Parameter, bias: Parameter) {
            self.weight = weight
            self.bias = bias
        }
    }

    /// How likely labels follow each other in a row: a linear-chain conditional random field, whose
    /// places' numbers are the logits.
    package struct Chain: BitwiseCopyable, Sendable {
        /// [labels, labels]: from one, to the next.
        package let transitions: Parameter
        /// Of the first label and of the last: [labels].
        package let starts: Parameter
        package let ends: Parameter

        package init(transitions: Parameter, starts: Parameter, ends: Parameter) {
            self.transitions = transitions
            self.starts = starts
            self.ends = ends
        }
    }

    /// What stands for a row; nil where each token has outputs of its own.
    package let pooling: Pooling?
    /// Whether they read what the model's pooler makes of that, rather than that itself.
    package let readsPooler: Bool
    package let dense: [Dense]
    package let activation: Activation
    /// [labels, hidden].
    package let weight: Parameter
    /// nil where the architecture's head has none.
    package let bias: Parameter?
    package let labelCount: Int
    /// Before the last layer, while training.
    package let dropout: Float
    /// Before those of `dense`.
    package let denseDropout: Float
    /// nil: each token is labelled by itself.
    package let chain: Chain?

    /// All of them.
    package var parameters: [Parameter] {
        [weight] + (bias.map { [$0] } ?? []) + dense.flatMap { [$0.weight, $0.bias] }
            + (chain.map { [$0.transitions, $0.starts, $0.ends] } ?? [])
    }

    package init(
        pooling: Pooling?, readsPooler: Bool, dense: [Dense] = [], activation: Activation = .identity,
        weight: Parameter, bias: Parameter?, labelCount: Int, dropout: Float,
        denseDropout: Float? = nil, chain: Chain? = nil
    ) {
        self.chain = chain
        self.pooling = pooling
        self.readsPooler = readsPooler
        self.dense = dense
        self.activation = activation
        self.weight = weight
        self.bias = bias
        self.labelCount = labelCount
        self.dropout = dropout
        self.denseDropout = denseDropout ?? dropout
    }
}
