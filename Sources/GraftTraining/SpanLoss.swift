import CGraftKernels
import GraftAdapters
import GraftLayers
import GraftTensor

/// The loss of spans, as transformers' question answering classes have it: over a row's tokens the
/// mean of the cross-entropies of where its answer starts and where it ends.
///
/// A place that is not in the row does not count, and weighs nothing: the loss of a batch is the
/// mean over the places that do.
struct SpanLoss: DenseLoss {
    private let column: ColumnKind
    let withoutWeight = "no row has an answer that starts or ends in it"
    let measuresWithoutWeight = false
    let measures = Spans.measures

    init(_ task: Task, _ options: TrainerOptions) throws(GraftError) {
        column = task.column
        try options.refuseLabelSettings(of: task)
    }

    func check(_ batch: RowBatch) throws(GraftError) {
        try batch.require(column, width: 2)
        let places = batch.integers(column)
        for row in 0..<batch.rowCount {
            let (start, end) = (places[2 * row], places[2 * row + 1])
            let isInside = end >= 0 && Int(start) < batch.length(ofRow: row)
            guard !isInside || start <= end else {
                throw GraftError(
                    .incompatible,
                    "row \(row) has an answer from token \(start) to token \(end); expected one that ends where it starts or "
                        + "behind it, or places outside the row, which do not count")
            }
        }
    }

    func weight(ofRow row: Int, in batch: RowBatch) -> Double {
        let (places, count) = (batch.integers(column), batch.range(ofRow: row).count)
        return 0.5 * Double(places[2 * row..<2 * row + 2].count { $0 >= 0 && Int($0) < count })
    }

    func add(
        _ logits: Matrix, _ batch: RowBatch, rows: Range<Int>, scale: Float?, _ evidence: inout Evidence, _ pass: Pass
    ) {
        batch.integers(column).withUnsafeBufferPointer { places in
            batch.starts.withUnsafeBufferPointer { starts in
                guard let places = places.baseAddress, let starts = starts.baseAddress else { return }
                gk_span_loss(
                    pass.team.kernel, Int64(rows.count), starts + rows.lowerBound, logits.base, Int64(logits.stride),
                    places + 2 * rows.lowerBound, scale ?? 1, scale == nil ? nil : logits.base, Int64(logits.stride),
                    &evidence.loss, &evidence.weight)
            }
        }
    }

    func observe(
        _ logits: Matrix, _ batch: RowBatch, rows: Range<Int>, _ evidence: inout Evidence, _ pass: Pass
    ) {
        let places = batch.integers(column)
        let first = batch.range(ofRow: rows.lowerBound).lowerBound
        for row in rows {
            let tokens = batch.range(ofRow: row)
            let (start, end) = (Int(places[2 * row]), Int(places[2 * row + 1]))
            guard start >= 0, end >= start, end < tokens.count else { continue }
            let found = Spans.best(logits.rows(from: tokens.lowerBound - first, count: tokens.count))
            evidence.rows.add(Spans.measured(found, truth: start...end))
        }
    }

    /// What is kept, twice over since it grows.
    func evidenceByteCount(_ batch: RowBatch) -> Int { 2 * 16 * batch.rowCount }
}
