/// Where training stands.
struct TrainingProgress {
    /// Updates so far.
    var step = 0
    /// End of the schedule; 0 while it is open.
    var totalSteps = 0
    /// Batches so far, of all epochs: what dropout counts by.
    var batch = 0
    var epoch = 0
    /// The next batch of the epoch.
    var batchInEpoch = 0
    /// Evaluations since the best one.
    var evaluationsWithoutGain = 0
    var isFinished = false
    /// The best evaluation, whose weights are kept.
    var best: Metrics?
    /// The latest step.
    var latest = Metrics()
}
