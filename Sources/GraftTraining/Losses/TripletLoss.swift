import CGraftKernels
import GraftFormats
import GraftTensor

/// max(0, d(anchor, positive) − d(anchor, negative) + margin), as sentence-transformers'
/// `TripletLoss` has it; d is the Euclidean distance, or 1 − the cosine.
struct TripletLoss: VectorLoss {
    static let name = "triplet"
    static let margin = Setting.number(
        "margin", 5, in: 0...1e6, "By how much the negative is to be further away than the positive.")
    static let distance = Setting.choice(
        "distance", "euclidean", of: ["euclidean", "cosine"], "Of two vectors: of their ends, or 1 - their cosine.")
    static let settings = [margin, distance, Matryoshka.setting]
    static let groupSize = 3...3
    static let readsTargets = false

    private let margin: Float
    private let isCosine: Bool

    init(_ settings: Settings) {
        margin = Float(settings.number(Self.margin))
        isCosine = settings.choice(Self.distance) == "cosine"
    }

    func add(_ batch: VectorBatch) throws(GraftError) -> Double {
        isCosine ? try addCosine(batch) : try addEuclidean(batch)
    }

    private func addCosine(_ batch: VectorBatch) throws(GraftError) -> Double {
        let unit = try UnitVectors(batch)
        var sum = 0.0
        for anchor in (0..<batch.groupCount).map(batch.first) {
            let (positive, negative) = (anchor + 1, anchor + 2)
            let loss = unit.cosine(anchor, negative, batch.team) - unit.cosine(anchor, positive, batch.team) + margin
            guard loss > 0 else { continue }
            sum += Double(loss)
            unit.add(slope: batch.scale, ofCosine: anchor, negative, batch.team)
            unit.add(slope: -batch.scale, ofCosine: anchor, positive, batch.team)
        }
        unit.backward(batch)
        return sum
    }

    /// As torch's `pairwise_distance`, which adds this to each difference.
    private static let nudge: Float = 1e-6

    private func addEuclidean(_ batch: VectorBatch) throws(GraftError) -> Double {
        let (team, x) = (batch.team, batch.vectors)
        // Of each group a − p and a − n, made unit vectors: the gradients of their lengths.
        let apart = try batch.work.matrix(rows: 2 * batch.groupCount, columns: x.columns)
        let lengths = try batch.work.allocate(Float.self, count: apart.rows)
        for group in 0..<batch.groupCount {
            for place in 0..<2 {
                let own = apart.rows(from: 2 * group + place, count: 1)
                own.base.update(repeating: Self.nudge, count: own.columns)
                team.add(x.rows(from: batch.first(group), count: 1), to: own)
                team.add(x.rows(from: batch.first(group) + 1 + place, count: 1), scale: -1, to: own)
            }
        }
        gk_normalize_rows(team.kernel, Int64(apart.rows), Int64(apart.columns), apart.base, lengths)
        var sum = 0.0
        for group in 0..<batch.groupCount {
            let loss = lengths[2 * group] - lengths[2 * group + 1] + margin
            guard loss > 0 else { continue }
            sum += Double(loss)
            guard let gradients = batch.gradients else { continue }
            for place in 0..<2 {
                let direction = apart.rows(from: 2 * group + place, count: 1)
                let sign = place == 0 ? batch.scale : -batch.scale
                team.add(direction, scale: sign, to: gradients.rows(from: batch.first(group), count: 1))
                team.add(direction, scale: -sign, to: gradients.rows(from: batch.first(group) + 1 + place, count: 1))
            }
        }
        return sum
    }
}
