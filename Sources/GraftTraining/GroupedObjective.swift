import GraftAdapters
import GraftFormats
import GraftLayers
import GraftTensor

/// A loss of the scores of rows that come in groups, such as the choices of a question or the
/// candidates of a query: of a head that has one number of each row.
final class GroupedObjective: JointObjective {
    let labels: [String]
    let summary: SummaryToken?
    let measures: [Measure]
    let measuresWithoutWeight = false
    let readsGroups = true
    private let head: DenseHead
    private let column: ColumnKind
    private let isChoice: Bool
    private let loss: any ScoreLoss

    /// What lives from one pass of a batch to the next.
    private let arena = Arena()
    private var starts: [Int] = []
    private var scores: Matrix?
    private var slopes: Matrix?

    init(
        _ content: AdapterContent, _ task: Task, _ loss: any ScoreLoss, _ options: TrainerOptions
    ) throws(GraftError) {
        try options.refuseLabelSettings(of: task)
        guard content.labels.count == 1 else {
            throw GraftError(
                .invalidArgument,
                "loss \"\(type(of: loss).name)\": the head has \(content.labels.count) outputs; expected 1, the score of a row"
            )
        }
        labels = content.labels
        column = task.column
        isChoice = task.outputs == .choice
        self.loss = loss
        head = DenseHead(model: content.model, unit: .rows)
        summary = head.summary(head.pooling(content.plan.head))
        measures = isChoice ? [Self.accuracy] : Rankings.measures
    }

    /// The part of the questions whose right choice has the largest score, the first of equals.
    private static let accuracy = Measure(Choices.accuracy.name) { $0.rows.mean(Choices.accuracy.name, $0.repeats) }

    var withoutWeight: String { "no group has rows of different targets" }

    var residentByteCount: Int { arena.residentByteCount }

    func check(_ batch: RowBatch) throws(GraftError) {
        try batch.require(.groupPlaces, width: 1)
        try batch.requireGroups(of: (isChoice ? 2 : 1)...Int.max, for: isChoice ? "a choice" : "a ranking")
        try batch.require(column, width: 1)
        if isChoice { return try checkChoices(batch) }
        try batch.requireFiniteTargets()
    }

    /// Of each group one row is the right choice.
    private func checkChoices(_ batch: RowBatch) throws(GraftError) {
        let labels = batch.integers(column)
        var row = 0
        while row < batch.rowCount {
            let group = batch.group(from: row)
            let right = labels[group].count { $0 == 1 }
            guard right == 1, labels[group].allSatisfy({ $0 == 0 || $0 == 1 }) else {
                throw GraftError(
                    .incompatible,
                    "the group of row \(row) has labels \(labels[group].prefix(8).map(String.init).joined(separator: ", ")); "
                        + "expected 1 for its right choice and 0 for all others")
            }
            row = group.upperBound
        }
    }

    /// A group's weight is that of the row that begins it.
    func weight(ofRow row: Int, in batch: RowBatch) -> Double {
        guard batch.integers(.groupPlaces)[row] == 0 else { return 0 }
        if isChoice { return 1 }
        let group = batch.group(from: row)
        return batch.floats(column).withUnsafeBufferPointer {
            loss.weight(UnsafeBufferPointer(rebasing: $0[group]))
        }
    }

    func evidenceByteCount(_ batch: RowBatch) -> Int { 200 * batch.rowCount }

    func begin(_ batch: RowBatch) throws(GraftError) {
        batch.findGroups(into: &starts)
        arena.rewind()
        scores = try arena.matrix(rows: batch.rowCount, columns: 1)
        slopes = try arena.matrix(rows: batch.rowCount, columns: 1)
    }

    func gather(_ batch: RowBatch, first: Int, _ hidden: HiddenStates, pass: Pass) throws(GraftError) {
        guard let scores else { return }
        _ = try head.forward(hidden, into: scores.rows(from: first, count: pass.rowCount), pass: pass)
    }

    func close(
        _ batch: RowBatch, scale: Float?, _ evidence: inout Evidence, _ team: Team
    ) throws(GraftError) {
        guard let scores, let slopes else { return }
        let targets = try arena.allocate(Float.self, count: batch.rowCount)
        if let column = batch.column(column) {
            for row in 0..<batch.rowCount { targets[row] = isChoice ? Float(column.integers[row]) : column.floats[row] }
        }
        for (first, end) in zip(starts, starts.dropFirst()) {
            let own = UnsafeBufferPointer(start: scores.base + first, count: end - first)
            let wanted = UnsafeBufferPointer(start: targets + first, count: own.count)
            let slope = UnsafeMutableBufferPointer(start: slopes.base + first, count: own.count)
            evidence.loss += loss.loss(own, wanted, slopes: slope)
            evidence.weight += loss.weight(wanted)
            for row in slope.indices { slope[row] *= scale ?? 1 }
            if scale == nil { evidence.rows.add(measured(own, wanted)) }
        }
    }

    private func measured(
        _ scores: UnsafeBufferPointer<Float>, _ targets: UnsafeBufferPointer<Float>
    ) -> [(name: String, value: Double)] {
        if isChoice { return [(Self.accuracy.name, Double(targets[largest(scores)]))] }
        return targets.map(Double.init).withUnsafeBufferPointer { targets in
            scores.map(Double.init).withUnsafeBufferPointer { scores in
                Rankings.measured(targets, scores, k: Rankings.evaluatedPlaces)
            }
        }
    }

    func run(
        _ batch: RowBatch, first: Int, _ hidden: HiddenStates, scale: Float?, _ evidence: inout Evidence, pass: Pass
    ) throws(GraftError) {
        guard let scores, let slopes else { return }
        let kept = try head.forward(hidden, into: scores.rows(from: first, count: pass.rowCount), pass: pass)
        if pass.rowCount == batch.rowCount { try close(batch, scale: scale, &evidence, pass.team) }
        try head.backward(slopes.rows(from: first, count: pass.rowCount), kept, hidden: hidden, pass: pass)
    }
}
