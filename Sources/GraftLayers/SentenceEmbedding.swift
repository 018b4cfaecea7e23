import CGraftKernels
import GraftTensor

/// How a row becomes its vector: poolings side by side, and what is then done to them.
package struct SentenceEmbedding: Sendable {
    /// What is done to a pooled vector.
    package enum Step: Sendable {
        case normalize
        case dense(SentenceDense)
    }

    package let poolings: [Pooling]
    package private(set) var steps: [Step]

    package init(_ poolings: [Pooling], steps: [Step]) {
        self.poolings = poolings
        self.steps = steps
    }

    package var normalizes: Bool {
        if case .normalize = steps.last { true } else { false }
    }

    /// The same with a length of 1, or not of 1 at the end.
    package func normalizing(_ wants: Bool) -> SentenceEmbedding {
        var changed = self
        while !wants, changed.normalizes { changed.steps.removeLast() }
        if wants, !normalizes { changed.steps.append(.normalize) }
        return changed
    }

    /// Width of the vector.
    package func width(hiddenSize: Int) -> Int {
        for case .dense(let dense) in steps.reversed() { return dense.outputs }
        return poolings.count * hiddenSize
    }

    /// The only token of each row that it reads; nil where it reads any.
    package var summary: SummaryToken? {
        guard let summary = poolings.first?.summary(), poolings.allSatisfy({ $0.summary() == summary }) else {
            return nil
        }
        return summary
    }

    /// Of the pass's rows, to `out` [rows, width].
    package func forward(_ hidden: HiddenStates, into out: Matrix, pass: Pass) throws(GraftError) {
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let denseCount = steps.count { if case .dense = $0 { true } else { false } }
        let width = hidden.matrix.columns
        var x =
            denseCount == 0
            ? out : try pass.scratch.matrix(rows: out.rows, columns: poolings.count * width)
        for (index, pooling) in poolings.enumerated() {
            pass.pool(
                hidden.matrix, pooling, firstRow: 0, into: x.columns(from: index * width, count: width))
        }
        var left = denseCount
        for step in steps {
            switch step {
            case .normalize: gk_normalize_rows(pass.team.kernel, Int64(x.rows), Int64(x.columns), x.base)
            case .dense(let dense):
                left -= 1
                let y = left == 0 ? out : try pass.scratch.matrix(rows: x.rows, columns: dense.outputs)
                dense.forward(x, into: y, pass.team)
                x = y
            }
        }
    }
}

/// y = f(x Wᵀ + b) on pooled vectors; W [outputs, inputs], b [outputs].
package struct SentenceDense: Sendable {
    package let inputs: Int
    package let outputs: Int
    private let activation: Activation
    private let weight: Memory
    private let bias: Memory?

    package init(inputs: Int, outputs: Int, activation: Activation, weight: Memory, bias: Memory?) {
        self.inputs = inputs
        self.outputs = outputs
        self.activation = activation
        self.weight = weight
        self.bias = bias
    }

    fileprivate func forward(_ x: Matrix, into y: Matrix, _ team: Team) {
        team.multiply(x, Matrix(weight.floats(), rows: outputs, columns: inputs), transposeB: true, into: y)
        if let bias { team.addToRows(Matrix(bias.floats(), rows: 1, columns: outputs), of: y) }
        gk_activation_forward(team.kernel, activation.kernel, Int64(y.count), y.base, y.base)
    }
}

/// What a model folder says about embedding texts.
package struct SentenceDeclaration: Sendable {
    /// Or why it cannot be done.
    package let embedding: Result<SentenceEmbedding, GraftError>
    package let prompts: Result<Prompts, GraftError>

    /// What may stand before a text, by name.
    package struct Prompts: Sendable {
        package let named: [(name: String, text: String)]
        /// The one that stands there unless another is asked for.
        package let defaultName: String?

        package init(named: [(name: String, text: String)], defaultName: String?) {
            self.named = named
            self.defaultName = defaultName
        }

        /// The prompt of that name, or the default one; "" where there is none.
        package func text(_ name: String?) throws(GraftError) -> String {
            guard let name = name ?? defaultName else { return "" }
            guard let prompt = named.first(where: { $0.name == name }) else {
                throw GraftError(
                    .notFound,
                    "the model has no prompt \"\(name)\"; it has "
                        + (named.isEmpty ? "none" : named.map { "\"\($0.name)\"" }.joined(separator: ", ")))
            }
            return prompt.text
        }
    }

    package init(embedding: Result<SentenceEmbedding, GraftError>, prompts: Result<Prompts, GraftError>) {
        self.embedding = embedding
        self.prompts = prompts
    }
}
