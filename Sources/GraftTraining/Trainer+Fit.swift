import GraftFormats
import GraftLayers
import GraftTensor

extension Trainer {
    /// Called after each step and each evaluation; false stops.
    package typealias Report = (Metrics) throws(GraftError) -> Bool

    /// Whole training. Goes on where a checkpoint at `options.checkpointPath` or an interrupted
    /// call left off; a run that had finished begins anew, unless the checkpoint is that of its
    /// end.
    package func fit(
        _ dataset: RowBatch, evaluation: RowBatch?, report: Report
    ) throws(GraftError) -> Metrics {
        var (trained, evaluated) = (RowBatch(), RowBatch())
        let dataset = try rows(of: dataset, in: &trained)
        let evaluation = try evaluation.map { evaluation throws(GraftError) in
            try rows(of: evaluation, in: &evaluated)
        }
        return try adapter.change { () throws(GraftError) in
            try train(dataset, evaluation: evaluation, report: report)
        }
    }

    private func train(
        _ dataset: RowBatch, evaluation: RowBatch?, report: Report
    ) throws(GraftError) -> Metrics {
        try check(dataset, "the training set")
        try requireWeight(dataset, "the training set")
        if let evaluation {
            try check(evaluation, "the evaluation set")
            if !objective.measuresWithoutWeight || metric.name == Measure.loss.name {
                try requireWeight(evaluation, "the evaluation set")
            }
        } else if options.patience > 0 {
            throw GraftError(
                .invalidArgument, "patience is \(options.patience), and there are no rows to evaluate on")
        }
        // Better found now than after an epoch.
        if let path = options.checkpointPath { try AtomicDirectory.checkWritable(path, files: Checkpoint.fileNames) }
        dropWaiting()
        try begin(dataset)
        if let length = limit(of: dataset) { record(length) }

        // The rows' order, sorted and shuffled, and the rows of a batch.
        let longest = (0..<dataset.rowCount).reduce(0) { max($0, dataset.readLength(ofRow: $1)) }
        let batchSize = min(
            dataset.readTokenCount, longest.multipliedReportingOverflow(by: options.rowsPerBatch).partialValue)
        try Memory.require(32 * dataset.rowCount + 16 * batchSize, to: "the order of \(dataset.rowCount) rows")
        var batch = RowBatch()
        var order = self.order(dataset)
        // Where every row has its turn.
        let readsAll = progress.totalSteps * options.batchesPerStep >= order.count
        let dataset = readsAll ? try withBase(dataset) : dataset
        let evaluation = try evaluation.map(withBase)
        while !progress.isFinished {
            switch progress.phase {
            case .step:
                let metrics = try nextStep(order, &batch, from: dataset)
                progress.latest = metrics
                progress.phase = .evaluation
                try tell(report, metrics)
            case .evaluation:
                let measured =
                    if let evaluation, isDue(options.evaluationSteps, order) || isLast(order) {
                        try measure(evaluation)
                    } else { nil as Metrics? }
                progress.phase = .closing
                if let measured { try tell(report, measured) }
            case .closing:
                let savesNow = isDue(options.checkpointSteps, order)
                let epoch = progress.epoch
                close(order)
                if progress.epoch != epoch { order = self.order(dataset) }
                if let path = options.checkpointPath, savesNow || progress.isFinished { try write(to: path) }
            }
        }
        return progress.best ?? progress.latest
    }

    private func requireWeight(_ rows: RowBatch, _ name: String) throws(GraftError) {
        guard objective.weight(of: rows) > 0 else {
            throw GraftError(
                .invalidArgument, "\(name): \(objective.withoutWeight), of \(rows.rowCount) rows: nothing counts")
        }
    }

    /// Rows that count for nothing are in no batch: training is as it would be without them.
    private func order(_ dataset: RowBatch) -> BatchOrder {
        BatchOrder(dataset, epoch: progress.epoch, options: options, hasGroups: objective.readsGroups) {
            objective.weight(ofRow: $0, in: dataset) > 0
        }
    }

    private func begin(_ dataset: RowBatch) throws(GraftError) {
        if let path = options.checkpointPath, try Checkpoint.find(at: path) {
            try restore(from: path)
        } else if progress.isFinished {
            progress = TrainingProgress()
            optimizer.kept.reset()
            rule?.kept.reset()
            bestValues = nil
        }
        let data = dataset.fingerprint
        guard progress.data == nil || progress.data == data else {
            throw GraftError(
                .incompatible,
                "the run that step \(progress.step) of \(progress.totalSteps) belongs to had other data: finish it with "
                    + "that, or begin anew with another trainer\(options.checkpointPath == nil ? "" : " and checkpoint_path")"
            )
        }
        let batches = order(dataset).count
        let places = progress.phase == .step ? 0...batches - 1 : 1...batches
        guard places.contains(progress.batchInEpoch) else {
            throw GraftError(
                .corruptFile,
                "\(options.checkpointPath ?? "checkpoint"): it stands at batch \(progress.batchInEpoch) of an epoch that has "
                    + "\(batches)")
        }
        progress.data = data
        let steps = (batches + options.batchesPerStep - 1) / options.batchesPerStep
        progress.totalSteps = options.totalSteps > 0 ? options.totalSteps : steps * options.epochCount
        try rule?.rule.check(totalSteps: progress.totalSteps)
    }

    private func tell(_ report: Report, _ metrics: Metrics) throws(GraftError) {
        guard try report(metrics) else { throw GraftError(.cancelled, "the progress callback asked to stop") }
    }

    private func isEpochEnd(_ order: BatchOrder) -> Bool { progress.batchInEpoch == order.count }

    /// Whether the step just taken is the last one of the schedule.
    private func isLast(_ order: BatchOrder) -> Bool {
        progress.step >= progress.totalSteps
            || (isEpochEnd(order) && progress.epoch + 1 >= options.epochCount && options.totalSteps == 0)
    }

    /// Whether what is done every `steps` steps, or at the end of each epoch when that is 0, comes
    /// now.
    private func isDue(_ steps: Int, _ order: BatchOrder) -> Bool {
        steps > 0 ? progress.step % steps == 0 : isEpochEnd(order)
    }

    /// Moves on to the next batch, the next epoch or the end, where the best weights come back.
    private func close(_ order: BatchOrder) {
        progress.isFinished = isLast(order) || stopsEarly
        if isEpochEnd(order) {
            progress.epoch += 1
            progress.batchInEpoch = 0
        }
        progress.phase = .step
        if progress.isFinished, let bestValues {
            content.values.update(from: bestValues.floats(), count: optimizer.count)
            adapter.markChanged()
        }
    }

    /// The next update: as many batches as a step has, fewer at the end of an epoch.
    private func nextStep(
        _ order: BatchOrder, _ batch: inout RowBatch, from dataset: RowBatch
    ) throws(GraftError) -> Metrics {
        let started = Clock.seconds
        let (batchCount, batchInEpoch) = (progress.batch, progress.batchInEpoch)
        do throws(GraftError) {
            var metrics = Metrics()
            for _ in 0..<min(options.batchesPerStep, order.count - progress.batchInEpoch) {
                order.fill(&batch, progress.batchInEpoch, from: dataset)
                metrics = try accumulate(batch)
                progress.batchInEpoch += 1
            }
            try update(&metrics)
            finish(&metrics, since: started, tokens: metrics.tokenCount)
            return metrics
        } catch {
            // A step that did not happen will happen again from its first batch.
            dropWaiting()
            (progress.batch, progress.batchInEpoch) = (batchCount, batchInEpoch)
            throw error
        }
    }

    /// Evaluates, and keeps the weights when they are the best so far.
    private func measure(_ evaluation: RowBatch) throws(GraftError) -> Metrics {
        let started = Clock.seconds
        var metrics = Metrics(try measure(rows: evaluation))
        finish(&metrics, since: started, tokens: evaluation.readTokenCount)
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
        guard let best = best?.evaluation, let new = metrics.evaluation else { return true }
        let sign: Double = metric.growsWithQuality ? 1 : -1
        return Self.is(sign * new.value(metric.name), above: sign * best.value(metric.name))
    }

    /// Every number is above one that is none.
    static func `is`(_ value: Double, above best: Double) -> Bool { value > best || (best.isNaN && !value.isNaN) }
}
