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

    /// What backward needs of a step, in the pass's kept arena.
    package struct Kept: BitwiseCopyable {
        /// What the step made; of a dense layer, before its activation.
        let y: Matrix
        /// Of the rows that were normalised.
        let lengths: UnsafeMutablePointer<Float>?
    }

    /// Of the pass's rows, to `out` [rows, width].
    ///
    /// - Parameter keeps: whether backward follows, until when `out` stays; else nothing is
    ///   returned.
    @discardableResult
    package func forward(
        _ hidden: HiddenStates, into out: Matrix, keeps: Bool = false, pass: Pass
    ) throws(GraftError) -> UnsafeMutableBufferPointer<Kept> {
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let arena = pass.arena(keeping: keeps)
        let kept = UnsafeMutableBufferPointer(
            start: try arena.allocate(Kept.self, count: steps.count), count: keeps ? steps.count : 0)
        let width = hidden.matrix.columns
        let changesWidth = steps.contains { if case .dense = $0 { true } else { false } }
        var x = changesWidth ? try arena.matrix(rows: out.rows, columns: poolings.count * width) : out
        for (index, pooling) in poolings.enumerated() {
            pass.pool(
                hidden.matrix, pooling, firstRow: 0, into: x.columns(from: index * width, count: width))
        }
        for (index, step) in steps.enumerated() {
            var lengths: UnsafeMutablePointer<Float>?
            switch step {
            case .normalize:
                if keeps { lengths = try arena.allocate(Float.self, count: x.rows) }
                gk_normalize_rows(pass.team.kernel, Int64(x.rows), Int64(x.columns), x.base, lengths)
                if keeps { kept[index] = Kept(y: x, lengths: lengths) }
            case .dense(let dense):
                let sum = try arena.matrix(rows: x.rows, columns: dense.outputs)
                dense.multiply(x, into: sum, pass.team)
                x = keeps ? try arena.matrix(rows: sum.rows, columns: sum.columns) : sum
                dense.activate(sum, into: x, pass.team)
                if keeps { kept[index] = Kept(y: sum, lengths: nil) }
            }
        }
        if changesWidth { x.copy(to: out) }
        return kept
    }

    /// Adds to d(hidden) from d(out), which is overwritten.
    package func backward(
        _ dOut: Matrix, _ kept: UnsafeMutableBufferPointer<Kept>, of hidden: HiddenStates, into dHidden: Matrix,
        pass: Pass
    ) throws(GraftError) {
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        var gradient = dOut
        for (step, kept) in zip(steps, kept).reversed() {
            switch step {
            case .normalize:
                guard let lengths = kept.lengths else { continue }
                gk_normalize_rows_backward(
                    pass.team.kernel, Int64(gradient.rows), Int64(gradient.columns), kept.y.base, lengths,
                    gradient.base)
            case .dense(let dense):
                let below = try pass.scratch.matrix(rows: gradient.rows, columns: dense.inputs)
                dense.backward(gradient, kept.y, into: below, pass.team)
                gradient = below
            }
        }
        let width = hidden.matrix.columns
        for (index, pooling) in poolings.enumerated() {
            pass.poolBackward(
                gradient.columns(from: index * width, count: width), pooling, of: hidden.matrix, into: dHidden)
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

    /// Before the activation.
    fileprivate func multiply(_ x: Matrix, into sum: Matrix, _ team: Team) {
        team.multiply(x, matrix, transposeB: true, into: sum)
        if let bias { team.addToRows(Matrix(bias.floats(), rows: 1, columns: outputs), of: sum) }
    }

    fileprivate func activate(_ sum: Matrix, into y: Matrix, _ team: Team) {
        gk_activation_forward(team.kernel, activation.kernel, Int64(sum.count), sum.base, y.base)
    }

    /// d(x) from d(y), which is overwritten. It is frozen.
    fileprivate func backward(_ dy: Matrix, _ sum: Matrix, into dx: Matrix, _ team: Team) {
        gk_activation_backward(team.kernel, activation.kernel, Int64(sum.count), sum.base, dy.base, dy.base)
        team.multiply(dy, matrix, into: dx)
    }

    private var matrix: Matrix { Matrix(weight.floats(), rows: outputs, columns: inputs) }
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
