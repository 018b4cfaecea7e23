import GraftTensor

extension Pass {
    /// Runs a batch of any size in passes of at most `tokenBudget` tokens, or of one row: `body`
    /// for each, with its rows of the batch. Other arguments are those of `begin`.
    package func each(
        of batch: RowBatch, tokenBudget: Int, reading summary: SummaryToken?, cache: KeyValueCache? = nil,
        cacheRow: (Int) -> Int = { $0 }, adapter: (Int) -> AttachedAdapter?,
        _ body: (_ rows: Range<Int>) throws(GraftError) -> Void
    ) throws(GraftError) {
        var first = 0
        while first < batch.rowCount {
            try Memory.check()
            let rows = first..<batch.passEnd(from: first, tokenBudget: tokenBudget)
            try begin(batch, rows: rows, reading: summary, cache: cache, cacheRow: cacheRow, adapter: adapter)
            try body(rows)
            first = rows.upperBound
        }
    }
}
