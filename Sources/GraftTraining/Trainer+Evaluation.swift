import GraftLayers
import GraftTensor

extension Trainer {
    /// Measures the adapter on a data set; changes nothing. Where nothing counts, the loss is NaN if there are rows to be
    /// classified, and else there is nothing to measure.
    package func evaluate(_ dataset: RowBatch) throws(GraftError) -> (metrics: Metrics, predictions: Predictions) {
        try adapter.read { _, _ throws(GraftError) in try measure(rows: dataset) }
    }

    /// As `evaluate`, for a call that has the adapter's numbers to itself.
    func measure(rows dataset: RowBatch) throws(GraftError) -> (metrics: Metrics, predictions: Predictions) {
        try check(dataset)
        guard objective.labelCount > 0 || objective.weight(of: dataset) > 0 else {
            throw GraftError(
                .invalidArgument, "\(objective.withoutWeight) in the \(dataset.rowCount) rows: nothing to measure")
        }
        let started = Clock.seconds
        let sums = try run(dataset, scale: nil)
        var metrics = Metrics()
        metrics.loss = sums.weight > 0 ? sums.loss / sums.weight : .nan
        metrics.accuracy = sums.accuracy
        metrics.macroF1 = sums.predictions.macroF1
        metrics.rowCount = dataset.rowCount
        metrics.tokenCount = dataset.tokenCount
        finish(&metrics, since: started, tokens: dataset.tokenCount)
        return (metrics, sums.predictions)
    }

    /// The loss of a batch and its gradients, with the next step's dropout; changes nothing.
    package func gradients(of batch: RowBatch) throws(GraftError) -> (loss: Double, gradients: [Float]) {
        let metrics = try accumulate(batch)
        let gradients = Array(UnsafeBufferPointer(start: optimizer.gradients, count: optimizer.count))
        dropWaiting()
        progress.batch -= 1
        return (metrics.loss, gradients)
    }
}
