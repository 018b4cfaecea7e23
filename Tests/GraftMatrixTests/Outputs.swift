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
        switch cell.task {
        case .none: results = Array(repeating: [], count: rows.rowCount)
        case .sequenceClassification:
            let columns = try session.labelCount(rows, adapters: adapters)
            var logits = [Float](repeating: .nan, count: rows.rowCount * columns)
            try session.classify(rows, adapters: adapters, columns: columns, into: &logits)
            // A row with fewer labels than another ends in -infinity.
            results = (0..<rows.rowCount).map { row in
                logits[row * columns..<(row + 1) * columns].filter { $0 != -.infinity }.map(\.bitPattern)
            }
        case .languageModel:
            var options = GenerationOptions()
            options.maximumTokens = 6
            var tokens = [[UInt32]](repeating: [], count: rows.rowCount)
            try session.generate(rows, adapters: adapters, options: options, tokenizer: nil) { row, token, _ in
                tokens[row].append(UInt32(bitPattern: token))
                return true
            }
            results = tokens
        }
    }
}
