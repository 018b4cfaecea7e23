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
    /// Row numbers, batch after batch; of a group the first.
    let rows: [Int]
    /// Where each batch begins among them, and their count.
    private let starts: [Int]
    /// Order in which the batches come.
    let batches: [Int]
    private let hasGroups: Bool

    /// - Parameters:
    ///   - hasGroups: whether rows come in groups, which are in one batch.
    ///   - counts: whether a row, or the group that it begins, is in any batch.
    init(
        _ dataset: RowBatch, epoch: Int, options: TrainerOptions, hasGroups: Bool = false,
        counts: (Int) -> Bool = { _ in true }
    ) {
        self.hasGroups = hasGroups
        var random = RandomNumbers(seed: options.seed, stream: "order of epoch \(epoch)")
        var rows = (0..<dataset.rowCount).filter(counts)
        rows.shuffle(using: &random)
        let largest = hasGroups ? rows.lazy.map { dataset.group(from: $0).count }.max() ?? 1 : 1
        let perBatch = max(options.rowsPerBatch / largest, 1)
        if options.groupsByLength {
            let run = min(max(rows.count / (4 * perBatch), 1), 50) * perBatch
            for start in stride(from: 0, to: rows.count, by: run) {
                let range = start..<min(start + run, rows.count)
                // Rows of one length stay shuffled.
                let sorted = range.sorted {
                    let (left, right) = (dataset.readLength(ofRow: rows[$0]), dataset.readLength(ofRow: rows[$1]))
                    return left != right ? left > right : $0 < $1
                }
                rows.replaceSubrange(range, with: sorted.map { rows[$0] })
            }
        }
        starts = Array(stride(from: 0, to: rows.count, by: perBatch)) + [rows.count]
        var batches = Array(0..<starts.count - 1)
        if options.groupsByLength { batches.shuffle(using: &random) }
        self.rows = rows
        self.batches = batches
    }

    var count: Int { batches.count }

    /// Replaces what `batch` holds by the rows of the batch that comes `index`-th.
    func fill(_ batch: inout RowBatch, _ index: Int, from dataset: RowBatch) {
        batch.removeAll()
        let number = batches[index]
        for first in rows[starts[number]..<starts[number + 1]] {
            for row in hasGroups ? dataset.group(from: first) : first..<first + 1 {
                batch.append(row: row, of: dataset)
            }
        }
    }
}
