import CGraftKernels
import GraftAdapters
import GraftLayers
import GraftTensor

/// Cross-entropy of tokens. Of a language model it is that of each next one: the hidden state of a
/// token predicts the label of the one after it in its row, or where rows are a decoder's, shifted
/// already, its own. Of masked ones it is that of the token itself.
///
/// Tokens whose label is below zero count for nothing, and cost nothing in the product with the
/// vocabulary. A row's first label is nobody's to predict, unless virtual tokens stand before it or
/// it is itself masked.
struct LanguageModelObjective: Objective {
    let labels: [String] = []
    let summary: SummaryToken? = nil
    let measures: [Measure]
    let withoutWeight: String
    let measuresWithoutWeight = false
    private let model: Model
    private let head: LanguageModelHead
    private let labelSmoothing: Float
    /// Tokens that there are to predict.
    private let vocabularySize: Int
    /// The first of a row's tokens that is predicted.
    private let firstPredicted: Int
    /// How far behind a label its prediction stands.
    private let lag: Int
    /// nil where labels are given.
    private let masking: TokenMasking?

    /// - Parameter isMasked: whether masked tokens are predicted, rather than next ones.
    init(_ content: AdapterContent, isMasked: Bool, _ options: TrainerOptions) throws(GraftError) {
        guard options.classWeights.isEmpty else {
            throw GraftError(.invalidArgument, "class_weights: a language model's tokens have no classes")
        }
        model = content.model
        head = isMasked ? try LanguageModelHead(masked: model) : try LanguageModelHead(model: model)
        labelSmoothing = options.labelSmoothing
        vocabularySize = model.outputSize(content.attached(scale: 1))
        lag = isMasked || model.decoderTokens != nil ? 0 : 1
        firstPredicted = content.plan.prompt == nil ? lag : 0
        measures = isMasked ? [Choices.accuracy, Measure.perplexity] : [Choices.accuracy]
        masking = options.masking
        withoutWeight =
            masking != nil ? "no token is of a word that may be masked" : "no token has a label to predict"
        try masking?.check(vocabularySize: vocabularySize)
    }

    func prepare(_ batch: RowBatch, into prepared: inout RowBatch, key: UInt64) throws(GraftError) -> Bool {
        guard let masking, batch.column(.tokenWords) != nil else { return false }
        try masking.mask(batch, into: &prepared, key: key, vocabularySize: vocabularySize)
        return true
    }

    func check(_ batch: RowBatch) throws(GraftError) {
        // Rows that were masked before have labels, and no words.
        if masking != nil, batch.column(.tokenWords) != nil || batch.column(.tokenLabels) == nil {
            return try batch.require(.tokenWords, width: 1)
        }
        try batch.require(.tokenLabels, width: 1)
        let labels = batch.integers(.tokenLabels)
        for row in 0..<batch.rowCount {
            for token in batch.range(ofRow: row) where Int(labels[token]) >= vocabularySize {
                throw GraftError(
                    .incompatible,
                    "row \(row), token \(token - batch.range(ofRow: row).lowerBound): label \(labels[token]); the "
                        + "vocabulary has \(vocabularySize) tokens")
            }
        }
    }

    /// Rows that are to be masked count by the tokens that may be.
    func weight(ofRow row: Int, in batch: RowBatch) -> Double {
        if masking != nil, let words = batch.column(.tokenWords) {
            return Double(words.integers[batch.range(ofRow: row)].count { $0 >= 0 })
        }
        return Double(batch.integers(.tokenLabels)[batch.range(ofRow: row).dropFirst(firstPredicted)].count { $0 >= 0 })
    }

    /// Its tokens are only counted.
    func evidenceByteCount(_ batch: RowBatch) -> Int { 0 }

    func run(
        _ batch: RowBatch, first: Int, _ hidden: HiddenStates, scale: Float?, _ evidence: inout Evidence, pass: Pass
    ) throws(GraftError) {
        let (tokens, labels) = try predictions(batch, first, pass)
        let learnsInLayers = scale != nil && pass.keptDepth <= model.shape.lastDepth
        let dHidden =
            learnsInLayers ? try pass.scratch.matrix(rows: hidden.matrix.rows, columns: hidden.matrix.columns) : nil
        if let dHidden { dHidden.base.update(repeating: 0, count: dHidden.count) }
        // Each that was chosen in earlier passes has weighed 1.
        try head.eachChunk(of: tokens, batchFirst: Int(evidence.weight), hidden.matrix, pass: pass) {
            chunk throws(GraftError) in
            let logits = chunk.logits
            let labels = labels + chunk.range.lowerBound
            if scale == nil {
                evidence.choices.add(counted: logits.rows, correct: Self.correctCount(logits, labels))
            }
            gk_cross_entropy(
                pass.team.kernel, Int64(logits.rows), Int64(logits.columns), logits.base, Int64(logits.stride), labels,
                nil, labelSmoothing, scale ?? 1, scale == nil ? nil : logits.base, Int64(logits.stride), &evidence.loss,
                &evidence.weight)
            guard scale != nil else { return }
            try head.backward(logits, chunk, into: dHidden, pass: pass)
        }
        if let dHidden { try model.backward(dHidden, hidden, pass: pass) }
    }

    /// Tokens of the pass that predict, and what they should.
    private func predictions(
        _ batch: RowBatch, _ first: Int, _ pass: Pass
    ) throws(GraftError) -> (tokens: UnsafeBufferPointer<Int32>, labels: UnsafePointer<Int32>) {
        let tokens = try pass.kept.allocate(Int32.self, count: pass.tokenCount)
        let labels = try pass.kept.allocate(Int32.self, count: pass.tokenCount)
        var count = 0
        let given = batch.integers(.tokenLabels)
        for row in 0..<pass.rowCount {
            for (token, label) in given[batch.range(ofRow: first + row)].enumerated()
            where token >= firstPredicted && label >= 0 {
                tokens[count] = Int32(pass.place(row: row, token: token) - lag)
                labels[count] = label
                count += 1
            }
        }
        return (UnsafeBufferPointer(start: tokens, count: count), UnsafePointer(labels))
    }

    private static func correctCount(_ logits: Matrix, _ labels: UnsafePointer<Int32>) -> Int {
        (0..<logits.rows).reduce(0) { count, row in
            let scores = UnsafeBufferPointer(start: logits.base + row * logits.stride, count: logits.columns)
            return count + (largest(scores) == Int(labels[row]) ? 1 : 0)
        }
    }
}
