/// What the batches since the last update add up to: an update is by the mean over all that counts
/// in its step, and how much that is, is known when its last batch is.
struct StepSums {
    /// Batches whose gradients wait for an update.
    var batchCount = 0
    var rowCount = 0
    var tokenCount = 0
    /// The weight of the first batch in which anything counts. Waiting gradients are those of the
    /// losses' sum divided by it: of one batch, that is the mean.
    var unit = 0.0
    /// What the sum of losses is divided by.
    var weight = 0.0
    var loss = 0.0

    /// What waiting gradients are multiplied by to be those of the mean.
    var share: Double { unit / weight }

    /// Of the step so far; NaN for a loss where nothing counts.
    var metrics: Metrics {
        var metrics = Metrics()
        metrics.loss = weight > 0 ? loss / weight : .nan
        metrics.rowCount = rowCount
        metrics.tokenCount = tokenCount
        return metrics
    }

    mutating func add(_ batchLoss: Double, weight batchWeight: Double, rows: Int, tokens: Int) {
        batchCount += 1
        rowCount += rows
        tokenCount += tokens
        loss += batchLoss
        weight += batchWeight
    }

    init() {}
}
