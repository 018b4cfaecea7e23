import GraftTensor

extension Pass {
    /// Runs a batch of any size in passes of at most `tokenBudget` tokens, or of one row: `body`
    /// for each, with its rows of the batch. Other arguments are those of `begin`.
    package func each(
        of batch: RowBatch, tokenBudget: Int, reading summary: SummaryToken?, cache: KeyValueCache? = nil,
        cacheRow: (Int) -> Int = { $0 }, adapter: (Int) -> AttachedAdapter?,
        _ body: (_ rows: Range<Int>) throws(GraftError) -> Void
    ) throws(GraftError) {
        func virtualCount(_ row: Int) -> Int {
            // What stands before a row is in the cache once the row has begun.
            if let cache, cache.length(ofRow: cacheRow(row)) > 0 { return 0 }
            return adapter(row)?.virtualCount ?? 0
        }
        var first = 0
        while first < batch.rowCount {
            try Memory.check()
            let rows =
                first..<batch.passEnd(
                    from: first, tokenBudget: tokenBudget, virtualCount: virtualCount)
            try begin(batch, rows: rows, reading: summary, cache: cache, cacheRow: cacheRow, adapter: adapter)
            try body(rows)
            first = rows.upperBound
        }
    }
}
