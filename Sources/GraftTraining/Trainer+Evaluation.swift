import GraftLayers
import GraftTensor

extension Trainer {
    /// Measures the adapter on a data set; changes nothing. Where nothing counts, the loss is NaN
    /// if there are rows to be classified, and else there is nothing to measure.
    package func evaluate(_ dataset: RowBatch) throws(GraftError) -> Evaluation {
        var decoderRows = RowBatch()
        let rows = try rows(of: dataset, in: &decoderRows)
        return try adapter.read { _, _ throws(GraftError) in try measure(rows: rows) }
    }

    /// As `evaluate`, for a call that has the adapter's numbers to itself.
    func measure(rows dataset: RowBatch) throws(GraftError) -> Evaluation {
        try check(dataset)
        let rows = try prepare(dataset, drawing: Self.evaluating)
        guard objective.measuresWithoutWeight || objective.weight(of: rows) > 0 else {
            let what =
                objective.weight(of: dataset) > 0
                ? "of the \(dataset.rowCount) rows nothing was masked"
                : "\(objective.withoutWeight) in the \(dataset.rowCount) rows"
            throw GraftError(.invalidArgument, "\(what): nothing to measure")
        }
        let evidence = try run(rows, scale: nil)
        return Evaluation(
            evidence, [Measure.loss] + objective.measures, rowCount: dataset.rowCount,
            tokenCount: dataset.readTokenCount)
    }

    /// The loss of a batch and its gradients, with the next step's dropout; changes nothing.
    package func gradients(of batch: RowBatch) throws(GraftError) -> (loss: Double, gradients: [Float]) {
        var decoderRows = RowBatch()
        let metrics = try accumulate(try rows(of: batch, in: &decoderRows))
        let gradients = Array(UnsafeBufferPointer(start: optimizer.gradients, count: optimizer.count))
        dropWaiting()
        progress.batch -= 1
        return (metrics.loss, gradients)
    }
}
