import GraftAdapters
import GraftLayers
import GraftTensor

/// What a model with an adapter gives for some rows in one pass.
struct AdapterOutputs {
    /// Of the last layer: [tokens, hidden], row after row.
    let hidden: [Float]
    /// [rows, labels]; empty unless asked for.
    let logits: [Float]

    /// - Parameter adapters: of each row; the last also of all that follow.
    init(
        _ model: Model, _ rows: RowBatch, adapters: [AttachedAdapter?], threadCount: Int = 2,
        wantsLogits: Bool
    ) throws {
        let pass = try Pass(team: try Team(threadCount: threadCount))
        func states(reading summary: SummaryToken?) throws -> HiddenStates {
            try pass.begin(rows, rows: 0..<rows.rowCount, reading: summary) { adapters[min($0, adapters.count - 1)] }
            return try model.forward(pass)
        }
        let all = try states(reading: nil).matrix
        hidden = Array(UnsafeBufferPointer(start: all.base, count: all.count))
        guard wantsLogits else {
            logits = []
            return
        }
        let classifier = DenseHead(model: model, unit: .rows)
        let summaries = try states(reading: model.summaryToken)
        let labelCounts = adapters.map { $0?.head?.labelCount ?? model.baseHead?.labels.count ?? 0 }
        let matrix = try pass.kept.matrix(rows: rows.rowCount, columns: labelCounts.max() ?? 0)
        _ = try classifier.forward(summaries, into: matrix, pass: pass)
        logits = Array(UnsafeBufferPointer(start: matrix.base, count: matrix.count))
    }

    init(_ model: Model, _ rows: RowBatch, _ adapter: AttachedAdapter?, wantsLogits: Bool) throws {
        try self.init(model, rows, adapters: [adapter], wantsLogits: wantsLogits)
    }
}
