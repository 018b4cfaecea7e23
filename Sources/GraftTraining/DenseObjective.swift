import GraftAdapters
import GraftLayers
import GraftTensor

/// The loss of a head that has numbers for each row or token.
struct DenseObjective: Objective {
    let labels: [String]
    let summary: SummaryToken?
    private let head: DenseHead
    private let loss: any DenseLoss

    init(
        _ content: AdapterContent, _ task: Task, _ unit: ColumnKind.Unit, _ outputs: Task.Outputs,
        _ options: TrainerOptions
    ) throws(GraftError) {
        labels = content.labels
        head = DenseHead(model: content.model, unit: unit)
        summary = head.summary(head.pooling(content.plan.head))
        switch outputs {
        case .oneLabel:
            let choice = ChoiceLoss(task.column, labels, options)
            loss = try content.plan.head?.chain == nil ? choice : ChainLoss(choice, options)
        case .span: loss = try SpanLoss(task, options)
        case .labels, .values: loss = try TargetLoss(task, outputs, labelCount: labels.count, options)
        case .choice: throw GraftError(.internal, "choices are learned a group at a time")
        }
    }

    var measures: [Measure] { loss.measures }
    var withoutWeight: String { loss.withoutWeight }
    var measuresWithoutWeight: Bool { loss.measuresWithoutWeight }

    func check(_ batch: RowBatch) throws(GraftError) { try loss.check(batch) }

    func weight(ofRow row: Int, in batch: RowBatch) -> Double { loss.weight(ofRow: row, in: batch) }

    func evidenceByteCount(_ batch: RowBatch) -> Int { loss.evidenceByteCount(batch) + 64 * labels.count }

    func run(
        _ batch: RowBatch, first: Int, _ hidden: HiddenStates, scale: Float?, _ evidence: inout Evidence, pass: Pass
    ) throws(GraftError) {
        let logits = try pass.kept.matrix(rows: head.count(pass), columns: labels.count)
        let kept = try head.forward(hidden, into: logits, pass: pass)
        let rows = first..<first + pass.rowCount
        if scale == nil { try loss.observe(logits, batch, rows: rows, &evidence, pass) }
        try loss.add(logits, batch, rows: rows, scale: scale, &evidence, pass)
        guard scale != nil else { return }
        try head.backward(logits, kept, hidden: hidden, pass: pass)
    }
}

/// What the numbers of rows or tokens lose against a column of the batch.
protocol DenseLoss: Sendable {
    var measures: [Measure] { get }
    /// See `Objective`.
    var withoutWeight: String { get }
    var measuresWithoutWeight: Bool { get }

    func check(_ batch: RowBatch) throws(GraftError)
    func weight(ofRow row: Int, in batch: RowBatch) -> Double
    /// Adds the losses of `logits`, those of some rows of the batch. With a scale these become the
    /// gradients of scale · loss.
    func add(
        _ logits: Matrix, _ batch: RowBatch, rows: Range<Int>, scale: Float?, _ evidence: inout Evidence, _ pass: Pass
    ) throws(GraftError)
    /// Adds what an evaluation sees in the logits of some rows.
    func observe(
        _ logits: Matrix, _ batch: RowBatch, rows: Range<Int>, _ evidence: inout Evidence, _ pass: Pass
    ) throws(GraftError)
    func evidenceByteCount(_ batch: RowBatch) -> Int
}
