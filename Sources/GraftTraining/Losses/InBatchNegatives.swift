import CGraftKernels
import GraftFormats
import GraftTensor

/// InfoNCE with the other groups' rows as negatives, as sentence-transformers'
/// `MultipleNegativesRankingLoss` has it: the cross-entropy of each anchor's positive among all
/// positives and negatives of the batch, by their cosines divided by the temperature.
///
/// Symmetric, it is the mean of that and the same with the positives asking for their anchors
/// (`MultipleNegativesSymmetricRankingLoss`). A text with itself as its positive, of which dropout
/// makes two vectors, is SimCSE.
struct InBatchNegatives: VectorLoss {
    static let name = "in_batch_negatives"
    static let temperature = Setting.number(
        "temperature", 0.05, in: 1e-4...1e4, "Cosines are divided by it.")
    static let symmetric = Setting.flag("symmetric", false, "Whether positives look for their anchors, too.")
    static let settings = [temperature, symmetric, Matryoshka.setting]
    static let groupSize = 2...Int.max
    static let readsTargets = false

    private let temperature: Float
    private let isSymmetric: Bool

    init(_ settings: Settings) {
        temperature = Float(settings.number(Self.temperature))
        isSymmetric = settings.flag(Self.symmetric)
    }

    /// Some of the rows, copied, with a place for their gradients.
    private struct Side {
        let rows: [Int]
        let vectors: Matrix
        let gradients: Matrix?

        init(_ rows: [Int], of all: UnitVectors, work: Arena) throws(GraftError) {
            self.rows = rows
            vectors = try all.rows(rows, work: work)
            gradients = all.gradients == nil ? nil : try work.matrix(rows: rows.count, columns: vectors.columns)
            gradients?.clear()
        }

        /// The first rows alone.
        func first(_ count: Int) -> Side {
            Side(
                rows: Array(rows.prefix(count)), vectors: vectors.rows(from: 0, count: count),
                gradients: gradients?.rows(from: 0, count: count))
        }

        private init(rows: [Int], vectors: Matrix, gradients: Matrix?) {
            (self.rows, self.vectors, self.gradients) = (rows, vectors, gradients)
        }

        func addGradients(to all: UnitVectors, _ team: Team) {
            guard let gradients, let whole = all.gradients else { return }
            for (place, row) in rows.enumerated() {
                team.add(gradients.rows(from: place, count: 1), to: whole.rows(from: row, count: 1))
            }
        }
    }

    func add(_ batch: VectorBatch) throws(GraftError) -> Double {
        let unit = try UnitVectors(batch)
        let firsts = (0..<batch.groupCount).map { batch.first($0) }
        let negatives = (0..<batch.groupCount).flatMap { batch.first($0) + 2..<batch.first($0 + 1) }
        let anchors = try Side(firsts, of: unit, work: batch.work)
        let others = try Side(firsts.map { $0 + 1 } + negatives, of: unit, work: batch.work)
        let share: Float = isSymmetric ? 0.5 : 1
        var loss = try contrast(anchors, others, share, batch)
        if isSymmetric { loss += try contrast(others.first(firsts.count), anchors, share, batch) }
        anchors.addGradients(to: unit, batch.team)
        others.addGradients(to: unit, batch.team)
        unit.backward(batch)
        return loss
    }

    /// Queries whose scores stand side by side.
    private static let blockSize = 256

    /// share · the cross-entropy of the i-th candidate for the i-th query.
    private func contrast(
        _ queries: Side, _ candidates: Side, _ share: Float, _ batch: VectorBatch
    ) throws(GraftError) -> Double {
        let count = queries.vectors.rows
        let block = min(count, Self.blockSize)
        let mark = batch.work.mark
        defer { batch.work.rewind(to: mark) }
        let scores = try batch.work.matrix(rows: block, columns: candidates.vectors.rows)
        let labels = try batch.work.allocate(Int32.self, count: block)
        let team = batch.team
        var (loss, weight) = (0.0, 0.0)
        for first in stride(from: 0, to: count, by: block) {
            let own = min(block, count - first)
            let (some, logits) = (queries.vectors.rows(from: first, count: own), scores.rows(from: 0, count: own))
            for place in 0..<own { labels[place] = Int32(first + place) }
            team.multiply(some, candidates.vectors, transposeB: true, scale: 1 / temperature, into: logits)
            gk_cross_entropy(
                team.kernel, Int64(own), Int64(logits.columns), logits.base, Int64(logits.stride), labels, nil, 0,
                batch.scale * share / temperature, queries.gradients == nil ? nil : logits.base, Int64(logits.stride),
                &loss, &weight)
            guard let dQueries = queries.gradients, let dCandidates = candidates.gradients else { continue }
            team.multiply(logits, candidates.vectors, adding: 1, into: dQueries.rows(from: first, count: own))
            team.multiply(logits, some, transposeA: true, adding: 1, into: dCandidates)
        }
        return loss * Double(share)
    }
}
