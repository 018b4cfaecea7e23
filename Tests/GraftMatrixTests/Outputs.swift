import GraftInference
import GraftMatrix
import GraftTensor
import GraftTestSupport
import GraftLayers

/// What a session computes of rows, as bits: equal means equal to the last one.
struct Outputs {
    /// Hidden states of the last layer, for each row.
    let states: [[UInt32]]
    /// What the task makes of them, for each row: logits, or the ids of tokens that go on.
    let results: [[UInt32]]

    init(_ cell: Cell, _ rows: RowBatch, _ adapters: [Composition?], threads: Int = 1) throws {
        let model = try cell.model()
        let session = try Session(model: model, threadCount: threads, passTokenCount: 0, cancelToken: nil)
        let width = model.shape.hiddenSize
        var hidden = [Float](repeating: .nan, count: rows.tokenCount * width)
        try session.hiddenStates(rows, adapters: adapters, layer: -1, into: &hidden)
        states = (0..<rows.rowCount).map { row in
            hidden[Int(rows.starts[row]) * width..<Int(rows.starts[row + 1]) * width].map(\.bitPattern)
        }
        switch cell.task?.head {
        case nil: results = Array(repeating: [], count: rows.rowCount)
        case .dense(let unit, _):
            let columns = try session.outputs(rows, adapters: adapters).columns
            var logits = [Float](repeating: .nan, count: rows.count(unit) * columns)
            try session.classify(rows, adapters: adapters, into: &logits)
            // Where a head has fewer labels than another, they end in -infinity.
            results = (0..<rows.rowCount).map { row in
                let lines = unit == .rows ? row..<row + 1 : rows.range(ofRow: row)
                return logits[lines.lowerBound * columns..<lines.upperBound * columns].filter { $0 != -.infinity }
                    .map(\.bitPattern)
            }
        case .embedding:
            var vectors = [Float](repeating: .nan, count: rows.rowCount * width)
            let embedding = try session.embedding(nil, normalizes: nil)
            try session.embed(rows, adapters: adapters, as: embedding, into: &vectors)
            results = (0..<rows.rowCount).map { vectors[$0 * width..<($0 + 1) * width].map(\.bitPattern) }
        case .maskedVocabulary:
            // For the token that tells the first label, in rows that have it.
            var found = try session.fillMasks(rows, adapters: adapters, mask: 3, bestCount: 4)[...]
            results = (0..<rows.rowCount).map { row in
                let own = found.prefix(4 * rows.tokens[rows.range(ofRow: row)].count { $0 == 3 })
                found = found.dropFirst(own.count)
                return own.flatMap { [UInt32(bitPattern: $0.label), $0.probability.bitPattern] }
            }
        case .vocabulary:
            var options = GenerationOptions()
            options.maximumTokens = 6
            var tokens = [[UInt32]](repeating: [], count: rows.rowCount)
            try session.generate(rows, adapters: adapters, options: options, tokenizer: nil) { token in
                tokens[token.row].append(UInt32(bitPattern: token.id))
                return true
            }
            results = tokens
        }
    }
}
