import CGraftKernels
import GraftAdapters
import GraftFormats
import GraftLayers
import GraftTensor

/// What a language model learns from pairs of answers of which the first is preferred: the loss of
/// how much more likely each answer's labelled tokens became than they are by a reference.
///
/// The reference is the model without the adapter, unless a column says how likely the answers are
/// by another. That is one more forward of the same frozen weights, and of a training one for all
/// its epochs.
final class PreferenceObjective: JointObjective {
    let labels: [String] = []
    let summary: SummaryToken? = nil
    let measures = Rewards.measures
    let withoutWeight = "no pair has two answers with tokens to predict"
    let measuresWithoutWeight = false
    let readsGroups = true
    private let model: Model
    private let head: LanguageModelHead
    private let predicted: PredictedTokens
    private let loss: DirectPreference

    /// What lives from one pass of a batch to the next.
    private let arena = Arena()
    private var rows: Rows?

    /// A number for each row of a batch.
    private struct Rows {
        /// Of tokens that are predicted.
        let counts: UnsafeMutablePointer<Int>
        /// The log-probability of these.
        let scores: UnsafeMutablePointer<Double>
        /// The same by the reference.
        let references: UnsafeMutablePointer<Float>
        /// The slope of the loss at the row's score.
        let slopes: UnsafeMutablePointer<Double>
    }

    init(_ content: AdapterContent, _ task: Task, _ choice: NamedChoice, _ options: TrainerOptions) throws(GraftError) {
        let (found, settings) = try Losses.list.find(choice)
        guard found == DirectPreference.self else { throw found.isNoLoss(of: task) }
        guard options.classWeights.isEmpty, options.labelSmoothing == 0 else {
            throw GraftError(
                .invalidArgument,
                "loss \"\(DirectPreference.name)\" has no class_weights, and its label_smoothing is one of loss_settings"
            )
        }
        loss = DirectPreference(settings)
        model = content.model
        head = try LanguageModelHead(model: model)
        // Without the adapter nothing stands before a row's first token.
        predicted = PredictedTokens(content, isMasked: false, readsPrompt: false)
    }

    var residentByteCount: Int { arena.residentByteCount }

    func check(_ batch: RowBatch) throws(GraftError) {
        try batch.require(.groupPlaces, width: 1)
        try batch.requireGroups(of: 2...2, for: "loss \(DirectPreference.name)")
        let readsBase = readsBase(batch)
        let known = readsBase ? min(predicted.vocabularySize, model.outputSize(nil)) : predicted.vocabularySize
        try predicted.check(batch, vocabularySize: known)
        if readsBase {
            // What the adapter adds to the vocabulary, the reference does not know.
            let shape = model.shape
            try batch.check(
                typeCount: shape.typeCount, maximumLength: shape.maximumLength,
                vocabularySize: { _ in model.vocabularySize(nil) })
        } else if loss.readsReference {
            try batch.require(.referenceLogProbabilities, width: 1)
            for (row, number) in batch.floats(.referenceLogProbabilities).enumerated() where !number.isFinite {
                throw GraftError(
                    .incompatible,
                    "row \(row) has \(ColumnKind.referenceLogProbabilities.name) \(number); expected a finite number")
            }
        }
    }

    /// A pair weighs 1, whose first row stands for it.
    func weight(ofRow row: Int, in batch: RowBatch) -> Double {
        guard batch.integers(.groupPlaces)[row] == 0 else { return 0 }
        return predicted.count(ofRow: row, in: batch) > 0 && predicted.count(ofRow: row + 1, in: batch) > 0 ? 1 : 0
    }

    func evidenceByteCount(_ batch: RowBatch) -> Int { 200 * batch.rowCount }

    func begin(_ batch: RowBatch) throws(GraftError) {
        arena.rewind()
        let rows = Rows(
            counts: try arena.allocate(Int.self, count: batch.rowCount),
            scores: try arena.allocate(Double.self, count: batch.rowCount),
            references: try arena.allocate(Float.self, count: batch.rowCount),
            slopes: try arena.allocate(Double.self, count: batch.rowCount))
        let given = loss.readsReference ? batch.column(.referenceLogProbabilities) : nil
        for row in 0..<batch.rowCount {
            rows.counts[row] = predicted.count(ofRow: row, in: batch)
            rows.references[row] = given.map { $0.floats[row] } ?? 0
        }
        self.rows = rows
    }

    func readsBase(_ batch: RowBatch) -> Bool {
        loss.readsReference && batch.column(.referenceLogProbabilities) == nil
    }

    func gatherBase(_ batch: RowBatch, first: Int, _ hidden: HiddenStates, pass: Pass) throws(GraftError) {
        try gather(batch, first: first, hidden, pass: pass)
        guard let rows else { return }
        for row in first..<first + pass.rowCount { rows.references[row] = Float(rows.scores[row]) }
    }

    func base(_ batch: RowBatch) -> Column? {
        rows.map {
            Column(
                .referenceLogProbabilities,
                floats: Array(UnsafeBufferPointer(start: $0.references, count: batch.rowCount)))
        }
    }

    func gather(_ batch: RowBatch, first: Int, _ hidden: HiddenStates, pass: Pass) throws(GraftError) {
        guard let rows else { return }
        for row in first..<first + pass.rowCount { rows.scores[row] = 0 }
        try eachChunk(batch, first, hidden, pass) { chunk, found throws(GraftError) in
            found.eachRow(of: chunk) { place, logits, labels in
                let row = first + place
                // As the kernel counts, a loss: the negative.
                var (loss, weight) = (-rows.scores[row], 0.0)
                gk_cross_entropy(
                    pass.team.kernel, Int64(logits.rows), Int64(logits.columns), logits.base, Int64(logits.stride),
                    labels, nil, 0, 1, nil, 0, &loss, &weight)
                rows.scores[row] = -loss
            }
        }
    }

    func close(
        _ batch: RowBatch, scale: Float?, _ evidence: inout Evidence, _ team: Team
    ) throws(GraftError) {
        guard let rows else { return }
        for chosen in stride(from: 0, to: batch.rowCount - 1, by: 2) {
            let rejected = chosen + 1
            (rows.slopes[chosen], rows.slopes[rejected]) = (0, 0)
            guard rows.counts[chosen] > 0, rows.counts[rejected] > 0 else { continue }
            func part(_ row: Int) -> Double { loss.isOfMeans ? 1 / Double(rows.counts[row]) : 1 }
            func ratio(_ row: Int) -> Double { (rows.scores[row] - Double(rows.references[row])) * part(row) }
            let (gained, lost) = (ratio(chosen), ratio(rejected))
            let found = loss.at(gained - lost)
            evidence.loss += found.loss
            evidence.weight += 1
            guard let scale else {
                evidence.rows.add(Rewards.measured(chosen: loss.beta * gained, rejected: loss.beta * lost))
                continue
            }
            rows.slopes[chosen] = Double(scale) * found.slope * part(chosen)
            rows.slopes[rejected] = -Double(scale) * found.slope * part(rejected)
        }
    }

    func run(
        _ batch: RowBatch, first: Int, _ hidden: HiddenStates, scale: Float?, _ evidence: inout Evidence, pass: Pass
    ) throws(GraftError) {
        guard let rows else { return }
        if pass.rowCount == batch.rowCount {
            try gather(batch, first: first, hidden, pass: pass)
            try close(batch, scale: scale, &evidence, pass.team)
        }
        let dHidden = try predicted.gradient(of: hidden, model, pass)
        try eachChunk(batch, first, hidden, pass) { chunk, found throws(GraftError) in
            found.eachRow(of: chunk) { place, logits, labels in
                let row = first + place
                var (loss, weight) = (0.0, 0.0)
                gk_cross_entropy(
                    pass.team.kernel, Int64(logits.rows), Int64(logits.columns), logits.base, Int64(logits.stride),
                    labels, nil, 0, Float(-rows.slopes[row]), logits.base, Int64(logits.stride), &loss, &weight)
            }
            try head.backward(chunk.logits, chunk, into: dHidden, pass: pass)
        }
        if let dHidden { try model.backward(dHidden, hidden, pass: pass) }
    }

    /// Calls `body` with the logits at the pass's predictions, some at a time, and all of those.
    private func eachChunk(
        _ batch: RowBatch, _ first: Int, _ hidden: HiddenStates, _ pass: Pass,
        _ body: (LanguageModelHead.Chunk, PredictedTokens.Found) throws(GraftError) -> Void
    ) throws(GraftError) {
        guard let rows else { return }
        let found = try predicted.find(batch, first: first, pass)
        let before = (0..<first).reduce(0) { $0 + rows.counts[$1] }
        try head.eachChunk(of: found.places, batchFirst: before, hidden.matrix, pass: pass) {
            chunk throws(GraftError) in try body(chunk, found)
        }
    }
}
