import GraftAdapters
import GraftLayers
import GraftTensor

/// Which tokens of a batch predict which, by its token labels. Of a language model each predicts
/// the label of the one after it in its row, or where rows are a decoder's, shifted already, its
/// own. Of masked ones it predicts its own, too.
///
/// Tokens whose label is below zero count for nothing. A row's first label is nobody's to predict,
/// unless virtual tokens stand before it or it is itself masked.
struct PredictedTokens {
    /// Tokens that there are to predict.
    let vocabularySize: Int
    /// The first of a row's tokens that is predicted.
    private let firstPredicted: Int
    /// How far behind a label its prediction stands.
    private let lag: Int

    /// Those of one pass, in order.
    struct Found {
        /// Where each prediction stands in the pass.
        let places: UnsafeBufferPointer<Int32>
        let labels: UnsafePointer<Int32>
        /// Where those of each row of the pass end.
        fileprivate let rowEnds: UnsafeBufferPointer<Int32>

        /// Calls `body` with the logits of a chunk, and their labels, that are of one row of the
        /// pass.
        func eachRow(
            of chunk: LanguageModelHead.Chunk,
            _ body: (_ row: Int, _ logits: Matrix, _ labels: UnsafePointer<Int32>) -> Void
        ) {
            var start = 0
            for (row, end) in rowEnds.enumerated() {
                let range = (start..<Int(end)).clamped(to: chunk.range)
                if !range.isEmpty {
                    let logits = chunk.logits.rows(
                        from: range.lowerBound - chunk.range.lowerBound, count: range.count)
                    body(row, logits, labels + range.lowerBound)
                }
                start = Int(end)
            }
        }
    }

    /// - Parameters:
    ///   - isMasked: whether masked tokens are predicted, rather than next ones.
    ///   - readsPrompt: whether virtual tokens predict a row's first.
    init(_ content: AdapterContent, isMasked: Bool, readsPrompt: Bool) {
        vocabularySize = content.model.outputSize(content.attached(scale: 1))
        lag = isMasked || content.model.decoderTokens != nil ? 0 : 1
        firstPredicted = readsPrompt && content.plan.prompt != nil ? 0 : lag
    }

    /// Checks that there are labels, all in a vocabulary.
    func check(_ batch: RowBatch, vocabularySize: Int) throws(GraftError) {
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

    /// How many tokens of a row are predicted.
    func count(ofRow row: Int, in batch: RowBatch) -> Int {
        batch.integers(.tokenLabels)[batch.range(ofRow: row).dropFirst(firstPredicted)].count { $0 >= 0 }
    }

    /// Those of the pass, whose rows begin at `first` in the batch.
    func find(_ batch: RowBatch, first: Int, _ pass: Pass) throws(GraftError) -> Found {
        let places = try pass.kept.allocate(Int32.self, count: pass.tokenCount)
        let labels = try pass.kept.allocate(Int32.self, count: pass.tokenCount)
        let rowEnds = try pass.kept.allocate(Int32.self, count: pass.rowCount)
        var count = 0
        let given = batch.integers(.tokenLabels)
        for row in 0..<pass.rowCount {
            for (token, label) in given[batch.range(ofRow: first + row)].enumerated()
            where token >= firstPredicted && label >= 0 {
                places[count] = Int32(pass.place(row: row, token: token) - lag)
                labels[count] = label
                count += 1
            }
            rowEnds[row] = Int32(count)
        }
        return Found(
            places: UnsafeBufferPointer(start: places, count: count), labels: UnsafePointer(labels),
            rowEnds: UnsafeBufferPointer(start: rowEnds, count: pass.rowCount))
    }

    /// Where predictions add what comes back to the pass's hidden states; nil where nothing below
    /// the vocabulary learns.
    func gradient(of hidden: HiddenStates, _ model: Model, _ pass: Pass) throws(GraftError) -> Matrix? {
        guard pass.keptDepth <= model.shape.lastDepth else { return nil }
        let gradient = try pass.scratch.matrix(rows: hidden.matrix.rows, columns: hidden.matrix.columns)
        gradient.clear()
        return gradient
    }
}
