import GraftFormats
import GraftTensor

/// (c − target)², c being the cosine of a pair's two rows: sentence-transformers'
/// `CosineSimilarityLoss`.
struct CosineSimilarity: VectorLoss {
    static let name = "cosine_similarity"
    static let settings = [Matryoshka.setting]
    static let groupSize = 2...2
    static let readsTargets = true

    init(_ settings: Settings) {}

    func add(_ batch: VectorBatch) throws(GraftError) -> Double {
        let unit = try UnitVectors(batch)
        var sum = 0.0
        for row in (0..<batch.groupCount).map(batch.first) {
            let error = unit.cosine(row, row + 1, batch.team) - batch.targets[row]
            sum += Double(error) * Double(error)
            unit.add(slope: 2 * batch.scale * error, ofCosine: row, row + 1, batch.team)
        }
        unit.backward(batch)
        return sum
    }
}
