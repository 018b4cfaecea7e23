/// Where training stands.
struct TrainingProgress {
    /// What `fit` does next. A run may be stopped between any two of these and goes on where it
    /// was.
    enum Phase: String {
        /// Take a step.
        case step
        /// Evaluate, where that is due after the step.
        case evaluation
        /// Move on to the next batch or epoch, or end.
        case closing
    }

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
    var phase = Phase.step
    var isFinished = false
    /// Fingerprint of the data that `fit` goes through; nil before its first call.
    var data: UInt64?
    /// The best evaluation, whose weights are kept.
    var best: Metrics?
    /// The latest step.
    var latest = Metrics()

    init() {}
}
