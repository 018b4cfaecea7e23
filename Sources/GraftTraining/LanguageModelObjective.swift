import CGraftKernels
import GraftAdapters
import GraftLayers
import GraftTensor

/// Cross-entropy of the tokens that are predicted, next ones or masked ones. All others cost
/// nothing in the product with the vocabulary.
struct LanguageModelObjective: Objective {
    let labels: [String] = []
    let summary: SummaryToken? = nil
    let measures = PredictedRow.measures
    let withoutWeight: String
    let measuresWithoutWeight = false
    private let model: Model
    private let head: LanguageModelHead
    private let labelSmoothing: Float
    private let predicted: PredictedTokens
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
        predicted = PredictedTokens(content, isMasked: isMasked, readsPrompt: true)
        masking = options.masking
        withoutWeight =
            masking != nil ? "no token is of a word that may be masked" : "no token has a label to predict"
        try masking?.check(vocabularySize: predicted.vocabularySize)
    }

    func prepare(_ batch: RowBatch, into prepared: inout RowBatch, key: UInt64) throws(GraftError) -> Bool {
        guard let masking, batch.column(.tokenWords) != nil else { return false }
        try masking.mask(batch, into: &prepared, key: key, vocabularySize: predicted.vocabularySize)
        return true
    }

    func check(_ batch: RowBatch) throws(GraftError) {
        // Rows that were masked before have labels, and no words.
        if masking != nil, batch.column(.tokenWords) != nil || batch.column(.tokenLabels) == nil {
            return try batch.require(.tokenWords, width: 1)
        }
        try predicted.check(batch, vocabularySize: predicted.vocabularySize)
    }

    /// Rows that are to be masked count by the tokens that may be.
    func weight(ofRow row: Int, in batch: RowBatch) -> Double {
        if masking != nil, let words = batch.column(.tokenWords) {
            return Double(words.integers[batch.range(ofRow: row)].count { $0 >= 0 })
        }
        return Double(predicted.count(ofRow: row, in: batch))
    }

    func evidenceByteCount(_ batch: RowBatch) -> Int { 2 * 24 * batch.rowCount }

    func run(
        _ batch: RowBatch, first: Int, _ hidden: HiddenStates, scale: Float?, _ evidence: inout Evidence, pass: Pass
    ) throws(GraftError) {
        let found = try predicted.find(batch, first: first, pass)
        let dHidden = try scale == nil ? nil : predicted.gradient(of: hidden, model, pass)
        var rows = Array(repeating: PredictedRow(), count: scale == nil ? pass.rowCount : 0)
        // Each that was chosen in earlier passes has weighed 1.
        try head.eachChunk(of: found.places, batchFirst: Int(evidence.weight), hidden.matrix, pass: pass) {
            chunk throws(GraftError) in
            guard let scale else {
                return found.eachRow(of: chunk) { row, logits, labels in
                    var own = rows[row]
                    own.correct += Self.correctCount(logits, labels)
                    gk_cross_entropy(
                        pass.team.kernel, Int64(logits.rows), Int64(logits.columns), logits.base,
                        Int64(logits.stride), labels, nil, labelSmoothing, 1, nil, 0, &own.loss, &own.count)
                    rows[row] = own
                }
            }
            let logits = chunk.logits
            gk_cross_entropy(
                pass.team.kernel, Int64(logits.rows), Int64(logits.columns), logits.base, Int64(logits.stride),
                found.labels + chunk.range.lowerBound, nil, labelSmoothing, scale, logits.base, Int64(logits.stride),
                &evidence.loss, &evidence.weight)
            try head.backward(logits, chunk, into: dHidden, pass: pass)
        }
        for row in rows { row.add(to: &evidence) }
        if let dHidden { try model.backward(dHidden, hidden, pass: pass) }
    }

    private static func correctCount(_ logits: Matrix, _ labels: UnsafePointer<Int32>) -> Double {
        (0..<logits.rows).reduce(0.0) { count, row in
            let scores = UnsafeBufferPointer(start: logits.base + row * logits.stride, count: logits.columns)
            return count + (largest(scores) == Int(labels[row]) ? 1 : 0)
        }
    }
}
