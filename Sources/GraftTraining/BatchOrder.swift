import GraftLayers
import GraftTensor

/// Which rows each batch of an epoch has: a function of the seed, the epoch and the rows' lengths
/// alone.
///
/// Rows are shuffled; to group by length, each run of batches is then sorted by length, longest
/// first, and the batches are shuffled. A run is a quarter of the epoch, at most fifty batches, as
/// transformers' `LengthGroupedSampler` has it: so batches differ from epoch to epoch. There is no
/// padding that grouping would save: it makes the rows of a step alike in length, and is off unless
/// asked for.
struct BatchOrder {
    /// Row numbers, batch after batch.
    let rows: [Int]
    let rowsPerBatch: Int
    /// Order in which the batches come.
    let batches: [Int]

    /// - Parameter counts: whether a row is in any batch.
    init(_ dataset: RowBatch, epoch: Int, options: TrainerOptions, counts: (Int) -> Bool = { _ in true }) {
        var random = RandomNumbers(seed: options.seed, stream: "order of epoch \(epoch)")
        var rows = (0..<dataset.rowCount).filter(counts)
        rows.shuffle(using: &random)
        rowsPerBatch = options.rowsPerBatch
        let batchCount = (rows.count + rowsPerBatch - 1) / rowsPerBatch
        var batches = Array(0..<batchCount)
        if options.groupsByLength {
            let run = min(max(rows.count / (4 * rowsPerBatch), 1), 50) * rowsPerBatch
            for start in stride(from: 0, to: rows.count, by: run) {
                let range = start..<min(start + run, rows.count)
                // Rows of one length stay shuffled.
                let sorted = range.sorted {
                    let (left, right) = (dataset.length(ofRow: rows[$0]), dataset.length(ofRow: rows[$1]))
                    return left != right ? left > right : $0 < $1
                }
                rows.replaceSubrange(range, with: sorted.map { rows[$0] })
            }
            batches.shuffle(using: &random)
        }
        self.rows = rows
        self.batches = batches
    }

    var count: Int { batches.count }

    /// Replaces what `batch` holds by the rows of the batch that comes `index`-th.
    func fill(_ batch: inout RowBatch, _ index: Int, from dataset: RowBatch) {
        batch.removeAll()
        let start = batches[index] * rowsPerBatch
        for row in rows[start..<min(start + rowsPerBatch, rows.count)] { batch.append(row: row, of: dataset) }
    }
}
