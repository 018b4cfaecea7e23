import GraftTensor

/// A point of a model where an adapter may act. Models name their sites; methods choose among them.
package struct Site: Sendable {
    package enum Kind: Equatable, Sendable {
        /// y = x Wᵀ + b.
        case linear
        /// The same of the tokens about each one: `inputs` is the numbers of all of them. Adapters
        /// may have its bias, and no weight.
        case convolution
        /// A norm's scale and bias.
        case norm
        /// Rows of a table, chosen by id: `inputs` is the number of rows, `outputs` their width.
        case embedding
        /// A sub-layer's output x before it joins the residual stream: see `Branch`. `outputs` is
        /// its width.
        case hidden(Sublayer)

        /// Whether the module has numbers of its own, which an adapter could replace.
        package var hasWeights: Bool {
            if case .hidden = self { false } else { true }
        }
    }

    package enum Sublayer: Sendable { case attention, crossAttention, feedForward }

    /// Where a module stands in the architecture's classes.
    package enum Place: Sendable {
        /// Part of the backbone: task classes put its name before the path.
        case backbone
        /// Beside the backbone, as a task class's head.
        case beside
    }

    /// Copies the frozen numbers of a module, as the products see them.
    package typealias Copy = @Sendable (UnsafeMutablePointer<Float>) -> Void

    /// The module's name, without the backbone's: "encoder.layer.3.attention.self.query".
    package let path: String
    package let kind: Kind
    package let place: Place
    /// Whether the checkpoint lacks it: only an adapter can give it weights.
    package let isAbsent: Bool
    package let inputs: Int
    package let outputs: Int
    /// Whether the checkpoint has a linear module's weight as [inputs, outputs].
    package let isTransposed: Bool
    /// By what the module's output is multiplied: Gemma's embeddings are.
    package let outputScale: Float
    /// A row of a table that never learns: the padding token's.
    package let frozenRow: Int?
    /// What the weight's numbers were rounded to when the model was loaded.
    package let precision: Precision
    /// See `ModelShape`: 0 for embeddings, then the layers, then what pools, then the head.
    package let depth: Int
    /// Number of its layer among those that the checkpoint has.
    package let layer: Int
    /// What the checkpoint calls the weight and the bias, or would call them.
    package let storedWeight: String?
    package let storedBias: String?
    /// A linear weight [outputs, inputs], a norm's scale [outputs], or a table [inputs, outputs].
    package let copyWeight: Copy
    /// nil where the module has no bias.
    package let copyBias: Copy?

    /// The weight in the order in which the checkpoint and an adapter's file have it.
    package var copyStoredWeight: Copy {
        guard isTransposed else { return copyWeight }
        return { [inputs, outputs, copyWeight] stored in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: inputs * outputs) { rows in
                guard let base = rows.baseAddress else { return }
                copyWeight(base)
                for input in 0..<inputs {
                    for output in 0..<outputs { stored[input * outputs + output] = base[output * inputs + input] }
                }
            }
        }
    }

    package init(
        path: String, kind: Kind, place: Place = .backbone, isAbsent: Bool = false, inputs: Int, outputs: Int,
        isTransposed: Bool = false, outputScale: Float = 1, depth: Int, layer: Int? = nil, frozenRow: Int? = nil,
        precision: Precision = .float32, storedWeight: String? = nil, storedBias: String? = nil,
        copyWeight: @escaping Copy, copyBias: Copy?
    ) {
        self.path = path
        self.kind = kind
        self.place = place
        self.isAbsent = isAbsent
        self.inputs = inputs
        self.outputs = outputs
        self.isTransposed = isTransposed
        self.outputScale = outputScale
        self.depth = depth
        self.layer = layer ?? depth - 1
        self.frozenRow = frozenRow
        self.precision = precision
        self.storedWeight = storedWeight
        self.storedBias = storedBias
        self.copyWeight = copyWeight
        self.copyBias = copyBias
    }

    /// A point without numbers of its own.
    package init(path: String, hidden sublayer: Sublayer, width: Int, depth: Int, layer: Int? = nil) {
        self.init(
            path: path, kind: .hidden(sublayer), inputs: width, outputs: width, depth: depth, layer: layer,
            copyWeight: { _ in }, copyBias: nil)
    }

    /// The same module with another vocabulary: rows of a table, or outputs. Its frozen numbers are
    /// not those of the model.
    package func with(vocabulary size: Int) -> Site {
        let count = size * (kind == .embedding ? outputs : inputs)
        return Site(
            path: path, kind: kind, place: place, isAbsent: isAbsent, inputs: kind == .embedding ? size : inputs,
            outputs: kind == .embedding ? outputs : size, outputScale: outputScale, depth: depth, layer: layer,
            frozenRow: frozenRow, precision: precision, storedWeight: storedWeight, storedBias: storedBias,
            copyWeight: { $0.update(repeating: 0, count: count) }, copyBias: nil)
    }

    /// Runs `body` with a copy of the frozen weight: [outputs, inputs], or a table [rows, width].
    package func withWeight<Result>(
        rows: Int, columns: Int, _ body: (Matrix) throws(GraftError) -> Result
    ) throws(GraftError) -> Result {
        let memory = try Memory(byteCount: rows * columns * 4)
        defer { withExtendedLifetime(memory) {} }
        copyWeight(memory.floats())
        return try body(Matrix(memory.floats(), rows: rows, columns: columns))
    }

    /// As torch keeps the weight of such a module.
    package var weightShape: [Int] {
        switch kind {
        case .linear: isTransposed ? [inputs, outputs] : [outputs, inputs]
        case .convolution: [outputs, outputs, inputs / outputs]
        case .norm: [outputs]
        case .embedding: [inputs, outputs]
        case .hidden: []
        }
    }
}
