import GraftLayers
import GraftTensor

extension Trainer {
    /// Called after each step and each evaluation; false stops.
    package typealias Report = (Metrics) -> Bool

    /// Whole training. Goes on where a checkpoint at `options.checkpointPath` or an interrupted call left off; a run that
    /// had finished begins anew, unless the checkpoint is that of its end.
    package func fit(
        _ dataset: RowBatch, evaluation: RowBatch?, report: Report
    ) throws(GraftError) -> Metrics {
        try check(dataset)
        if let evaluation { try check(evaluation) }
        dropWaiting()
        try begin(dataset)
        if progress.isFinished { return progress.best ?? progress.latest }

        var batch = RowBatch()
        while !progress.isFinished {
            let order = BatchOrder(dataset, epoch: progress.epoch, options: options)
            while progress.batchInEpoch < order.count && !progress.isFinished {
                let metrics = try nextStep(order, &batch, from: dataset)
                progress.latest = metrics
                let isEpochEnd = progress.batchInEpoch == order.count
                let isLast =
                    progress.step >= progress.totalSteps
                    || (isEpochEnd && progress.epoch + 1 >= options.epochCount && options.totalSteps == 0)
                if !report(metrics) { throw GraftError(.cancelled, "the progress callback asked to stop") }
                let isDue =
                    options.evaluationSteps > 0 ? progress.step % options.evaluationSteps == 0 : isEpochEnd
                if let evaluation, isDue || isLast {
                    let measured = try measure(evaluation)
                    progress.isFinished = isLast || stopsEarly
                    if !report(measured) { throw GraftError(.cancelled, "the progress callback asked to stop") }
                }
                if isLast { progress.isFinished = true }
                if isEpochEnd {
                    progress.epoch += 1
                    progress.batchInEpoch = 0
                }
                if progress.isFinished { restoreBest() }
                let savesNow =
                    options.checkpointSteps > 0 ? progress.step % options.checkpointSteps == 0 : isEpochEnd
                if let path = options.checkpointPath, savesNow || progress.isFinished {
                    try save(to: path, dataset: dataset)
                }
                if isEpochEnd { break }
            }
        }
        return progress.best ?? progress.latest
    }

    private func begin(_ dataset: RowBatch) throws(GraftError) {
        if let path = options.checkpointPath, Checkpoint.exists(at: path) {
            try resume(from: path, dataset: dataset)
        } else if progress.isFinished {
            progress = TrainingProgress()
            optimizer.clearMoments()
            bestValues = nil
        }
        let batches = (dataset.rowCount + options.rowsPerBatch - 1) / options.rowsPerBatch
        let steps = (batches + options.batchesPerStep - 1) / options.batchesPerStep
        progress.totalSteps = options.totalSteps > 0 ? options.totalSteps : steps * options.epochCount
    }

    /// The next update: as many batches as a step has, fewer at the end of an epoch.
    private func nextStep(
        _ order: BatchOrder, _ batch: inout RowBatch, from dataset: RowBatch
    ) throws(GraftError) -> Metrics {
        let started = now()
        let (batchCount, batchInEpoch) = (progress.batch, progress.batchInEpoch)
        do throws(GraftError) {
            let count = min(options.batchesPerStep, order.count - progress.batchInEpoch)
            var total = Metrics()
            total.loss = 0
            for _ in 0..<count {
                order.fill(&batch, progress.batchInEpoch, from: dataset)
                let one = try accumulate(batch, batchesInStep: count)
                total.loss += one.loss / Double(count)
                total.rowCount += one.rowCount
                total.tokenCount += one.tokenCount
                progress.batchInEpoch += 1
            }
            try update(&total)
            finish(&total, since: started, batch)
            return total
        } catch {
            // A step that did not happen will happen again from its first batch.
            dropWaiting()
            (progress.batch, progress.batchInEpoch) = (batchCount, batchInEpoch)
            throw error
        }
    }

    /// Evaluates, and keeps the weights when they are the best so far.
    private func measure(_ evaluation: RowBatch) throws(GraftError) -> Metrics {
        var metrics = try evaluate(evaluation).metrics
        metrics.isEvaluation = true
        if isBetter(metrics, than: progress.best) {
            progress.best = metrics
            progress.evaluationsWithoutGain = 0
            let values = if let bestValues { bestValues } else { try Memory(byteCount: optimizer.count * 4) }
            values.floats().update(from: content.values, count: optimizer.count)
            bestValues = values
        } else {
            progress.evaluationsWithoutGain += 1
        }
        return metrics
    }

    private var stopsEarly: Bool { options.patience > 0 && progress.evaluationsWithoutGain >= options.patience }

    private func isBetter(_ metrics: Metrics, than best: Metrics?) -> Bool {
        guard let best else { return true }
        switch options.metric {
        case .loss: return metrics.loss < best.loss
        case .accuracy: return metrics.accuracy > best.accuracy
        case .macroF1: return metrics.macroF1 > best.macroF1
        }
    }

    private func restoreBest() {
        if let bestValues { content.values.update(from: bestValues.floats(), count: optimizer.count) }
    }
}
