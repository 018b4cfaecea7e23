import GraftAdapters
import GraftFormats
import GraftLayers
import GraftTensor

/// A loss of the vectors that a model makes of rows, as `Session.embed` does: pooled, and whatever
/// the model's folder says follows.
final class EmbeddingObjective: JointObjective {
    let labels: [String] = []
    let summary: SummaryToken?
    let measures: [Measure]
    let withoutWeight = "there are no rows"
    let measuresWithoutWeight = false
    let readsGroups = true
    private let model: Model
    private let embedding: SentenceEmbedding
    private let width: Int
    private let loss: any VectorLoss
    /// Numbers of the vectors that are a loss each.
    private let widths: [Int]
    /// Groups that one evaluation's loss is of, as in training.
    private let rowsPerBatch: Int

    /// What lives from one pass of a batch to the next.
    private let arena = Arena()
    private var starts: [Int] = []
    private var vectors: Matrix?
    private var gradients: Matrix?

    init(_ content: AdapterContent, _ task: Task, _ options: TrainerOptions) throws(GraftError) {
        try options.refuseLabelSettings(of: task)
        model = content.model
        embedding = try model.source.sentences.embedding.get()
        width = embedding.width(hiddenSize: model.shape.hiddenSize)
        let (found, settings) = try Losses.list.find(options.loss ?? NamedChoice(Losses.ofVectors))
        guard let member = found as? any VectorLoss.Type else { throw found.isNoLoss(of: task) }
        loss = member.init(settings)
        widths = try Matryoshka.widths(settings, of: width)
        rowsPerBatch = options.rowsPerBatch
        summary = embedding.summary
        measures = member.readsTargets ? Values.measures : Rankings.measures
    }

    private var kind: any VectorLoss.Type { type(of: loss) }

    /// Of pairs a value each.
    var evidence: Evidence { Evidence(labelCount: kind.readsTargets ? 1 : 0) }

    var residentByteCount: Int { arena.residentByteCount }

    func check(_ batch: RowBatch) throws(GraftError) {
        try batch.require(.groupPlaces, width: 1)
        try batch.requireGroups(of: kind.groupSize, for: "loss \(kind.name)")
        guard kind.readsTargets else { return }
        try batch.require(.targets, width: 1)
        try batch.requireFiniteTargets()
        let targets = batch.floats(.targets)
        for row in stride(from: 0, to: targets.count - 1, by: 2) where targets[row] != targets[row + 1] {
            throw GraftError(
                .incompatible,
                "rows \(row) and \(row + 1) are a pair with targets \(targets[row]) and \(targets[row + 1]); expected the "
                    + "same, which says how alike they are")
        }
    }

    /// A group weighs 1, whose first row stands for it.
    func weight(ofRow row: Int, in batch: RowBatch) -> Double { batch.integers(.groupPlaces)[row] == 0 ? 1 : 0 }

    func evidenceByteCount(_ batch: RowBatch) -> Int { batch.rowCount * (8 * width + 200) }

    func begin(_ batch: RowBatch) throws(GraftError) {
        batch.findGroups(into: &starts)
        arena.rewind()
        vectors = try arena.matrix(rows: batch.rowCount, columns: width)
        gradients = try arena.matrix(rows: batch.rowCount, columns: width)
    }

    func gather(_ batch: RowBatch, first: Int, _ hidden: HiddenStates, pass: Pass) throws(GraftError) {
        guard let vectors else { return }
        try embedding.forward(hidden, into: vectors.rows(from: first, count: pass.rowCount), pass: pass)
    }

    func close(
        _ batch: RowBatch, scale: Float?, _ evidence: inout Evidence, _ team: Team
    ) throws(GraftError) {
        guard let vectors, let gradients else { return }
        gradients.clear()
        let groupCount = starts.count - 1
        // A step's loss is of all its groups; an evaluation's of as many as a batch of a training
        // has.
        let largest = zip(starts.dropFirst(), starts).reduce(1) { max($0, $1.0 - $1.1) }
        let perLoss = scale == nil ? max(rowsPerBatch / largest, 1) : groupCount
        for first in stride(from: 0, to: groupCount, by: perLoss) {
            let groups = first..<min(first + perLoss, groupCount)
            try add(groups, vectors, gradients, batch.floats(.targets), scale: scale, &evidence, team)
        }
        guard scale == nil else { return }
        let mark = arena.mark
        defer { arena.rewind(to: mark) }
        let all = VectorBatch(
            vectors: vectors, starts: starts[...], targets: batch.floats(.targets), gradients: nil, scale: 1,
            team: team,
            work: arena)
        try kind.readsTargets ? compare(all, &evidence) : rank(all, &evidence)
    }

    private func add(
        _ groups: Range<Int>, _ vectors: Matrix, _ gradients: Matrix, _ targets: [Float], scale: Float?,
        _ evidence: inout Evidence, _ team: Team
    ) throws(GraftError) {
        let (first, count) = (starts[groups.lowerBound], starts[groups.upperBound] - starts[groups.lowerBound])
        let own = targets.isEmpty ? [] : Array(targets[first..<first + count])
        for width in widths {
            let mark = arena.mark
            defer { arena.rewind(to: mark) }
            let cut = vectors.rows(from: first, count: count).columns(from: 0, count: width)
            let batch = VectorBatch(
                vectors: cut, starts: starts[groups.lowerBound...groups.upperBound],
                targets: own,
                gradients: scale == nil
                    ? nil : gradients.rows(from: first, count: count).columns(from: 0, count: width),
                scale: scale ?? 1, team: team, work: arena)
            evidence.loss += try loss.add(batch)
        }
        evidence.weight += Double(groups.count)
    }

    /// What the cosines of pairs are beside their targets.
    private func compare(_ all: VectorBatch, _ evidence: inout Evidence) throws(GraftError) {
        let unit = try UnitVectors(all)
        for first in (0..<all.groupCount).map(all.first) {
            evidence.values.add(
                targets: [Double(all.targets[first])], outputs: [Double(unit.cosine(first, first + 1, all.team))])
        }
    }

    /// Where each anchor's positive stands among all rows that are no anchors, by their cosines.
    private func rank(_ all: VectorBatch, _ evidence: inout Evidence) throws(GraftError) {
        let unit = try UnitVectors(all)
        let anchors = (0..<all.groupCount).map(all.first)
        let others = (0..<all.groupCount).flatMap { all.first($0) + 1..<all.first($0 + 1) }
        let block = min(Self.blockSize, anchors.count)
        let candidates = try unit.rows(others, work: arena)
        let scores = try arena.matrix(rows: block, columns: others.count)
        for first in stride(from: 0, to: anchors.count, by: block) {
            let some = Array(anchors[first..<min(first + block, anchors.count)])
            let mark = arena.mark
            defer { arena.rewind(to: mark) }
            let queries = try unit.rows(some, work: arena)
            all.team.multiply(queries, candidates, transposeB: true, into: scores.rows(from: 0, count: some.count))
            for (place, anchor) in some.enumerated() {
                let own = UnsafeBufferPointer(start: scores.base + place * scores.stride, count: others.count)
                // Before its positive stand all earlier rows but the anchors.
                let relevant = anchor - (first + place)
                evidence.rows.add(Rankings.measured(relevant: relevant, own, k: Rankings.evaluatedPlaces))
            }
        }
    }

    private static let blockSize = 256

    func run(
        _ batch: RowBatch, first: Int, _ hidden: HiddenStates, scale: Float?, _ evidence: inout Evidence, pass: Pass
    ) throws(GraftError) {
        guard let vectors, let gradients else { return }
        let own = vectors.rows(from: first, count: pass.rowCount)
        let kept = try embedding.forward(hidden, into: own, keeps: true, pass: pass)
        if pass.rowCount == batch.rowCount { try close(batch, scale: scale, &evidence, pass.team) }
        guard pass.keptDepth <= model.shape.lastDepth else { return }
        let dHidden = try pass.scratch.matrix(rows: hidden.matrix.rows, columns: hidden.matrix.columns)
        dHidden.clear()
        try embedding.backward(
            gradients.rows(from: first, count: pass.rowCount), kept, of: hidden, into: dHidden, pass: pass)
        try model.backward(dHidden, hidden, pass: pass)
    }
}
