import CGraftKernels
import Glibc
import GraftAdapters
import GraftLayers
import GraftTensor

/// The loss of numbers that each have a target, a row's being their mean: binary cross-entropy of
/// logits, or the squared error of values. The column's width is the number of outputs.
struct TargetLoss: DenseLoss {
    private let column: ColumnKind
    private let labelCount: Int
    private let outputs: Task.Outputs
    let withoutWeight = "there are no rows"
    let measuresWithoutWeight = false

    init(_ task: Task, _ outputs: Task.Outputs, labelCount: Int, _ options: TrainerOptions) throws(GraftError) {
        column = task.column
        self.labelCount = labelCount
        self.outputs = outputs
        try options.refuseLabelSettings(of: task)
    }

    private var keepsScores: Bool { outputs != .values && labelCount <= Scores.maximumLabels }

    var measures: [Measure] {
        outputs == .values ? Values.measures : LabelSets.measures + (keepsScores ? Scores.measures : [])
    }

    func check(_ batch: RowBatch) throws(GraftError) {
        try batch.require(column, width: labelCount)
        guard let targets = batch.column(column)?.floats else { return }
        let range: ClosedRange<Float> =
            outputs == .values ? -Float.greatestFiniteMagnitude...Float.greatestFiniteMagnitude : 0...1
        for (place, target) in targets.enumerated() where !range.contains(target) {
            throw GraftError(
                .incompatible,
                "row \(place / labelCount) has target \(target) for label \(place % labelCount); expected "
                    + (outputs == .values ? "a finite number" : "0, 1 or a number between"))
        }
    }

    func weight(ofRow row: Int, in batch: RowBatch) -> Double { 1 }

    func add(
        _ logits: Matrix, _ batch: RowBatch, rows: Range<Int>, scale: Float?, _ evidence: inout Evidence, _ pass: Pass
    ) {
        batch.column(column)?.floats.withUnsafeBufferPointer { targets in
            guard let targets = targets.baseAddress else { return }
            gk_mean_loss(
                pass.team.kernel, gk_loss(outputs == .values ? GK_LOSS_SQUARED : GK_LOSS_LOGISTIC), Int64(logits.rows),
                Int64(labelCount), logits.base, Int64(logits.stride), targets + rows.lowerBound * labelCount,
                scale ?? 1,
                scale == nil ? nil : logits.base, Int64(logits.stride), &evidence.loss)
        }
        evidence.weight += Double(logits.rows)
    }

    func observe(
        _ logits: Matrix, _ batch: RowBatch, rows: Range<Int>, _ evidence: inout Evidence, _ pass: Pass
    ) {
        batch.column(column)?.floats.withUnsafeBufferPointer { targets in
            for row in rows {
                let own = UnsafeBufferPointer(rebasing: targets[row * labelCount..<(row + 1) * labelCount])
                let numbers = UnsafeBufferPointer(
                    start: logits.base + (row - rows.lowerBound) * logits.stride, count: labelCount)
                if outputs == .values {
                    evidence.values.add(targets: own.lazy.map(Double.init), outputs: numbers.lazy.map(Double.init))
                } else {
                    observe(own, numbers, &evidence)
                }
            }
        }
    }

    /// A label is a row's where the target is at least a half, and is given to it where its logit
    /// is above zero, which is a probability above a half.
    private func observe(
        _ targets: UnsafeBufferPointer<Float>, _ logits: UnsafeBufferPointer<Float>, _ evidence: inout Evidence
    ) {
        for label in 0..<labelCount {
            evidence.labelSets.add(label: label, isTrue: targets[label] >= 0.5, isChosen: logits[label] > 0)
        }
        evidence.labelSets.endRow()
        guard keepsScores else { return }
        // As sessions give them, so that a threshold that is found here is one for them.
        let probabilities = logits.lazy.map { 1 / (1 + exp(-Double($0))) }
        evidence.scores.add(isTrue: targets.lazy.map { $0 >= 0.5 ? 1 : 0 }, numbers: probabilities)
    }

    /// What is kept, twice over since it grows, and orders of the rows.
    func evidenceByteCount(_ batch: RowBatch) -> Int {
        if outputs == .values { return 2 * batch.rowCount * (16 * labelCount + 64) }
        return 2 * batch.rowCount * ((LabelSets.byteCount + (keepsScores ? 16 : 0)) * labelCount + 64)
    }
}
