import Glibc
import GraftFormats
import GraftTensor

/// log(1 + Σ exp((cᵢ − cⱼ) / temperature)) over all pairs i and j of the batch of which j is to be
/// the more alike, c being the cosine of a pair's two rows: what counts is their order. As
/// sentence-transformers' `CoSENTLoss`, whose scale is 1 / temperature.
///
/// It is one number of a batch, which here counts for as many as it has groups.
struct CoSENT: VectorLoss {
    static let name = "cosent"
    static let settings = [InBatchNegatives.temperature, Matryoshka.setting]
    static let groupSize = 2...2
    static let readsTargets = true

    private let temperature: Double

    init(_ settings: Settings) { temperature = settings.number(InBatchNegatives.temperature) }

    func add(_ batch: VectorBatch) throws(GraftError) -> Double {
        let unit = try UnitVectors(batch)
        let count = batch.groupCount
        let scores = (0..<count).map {
            Double(unit.cosine(batch.first($0), batch.first($0) + 1, batch.team)) / temperature
        }
        let targets = (0..<count).map { batch.targets[batch.first($0)] }
        func eachPair(_ body: (_ i: Int, _ j: Int, _ difference: Double) -> Void) {
            for i in 0..<count {
                for j in 0..<count where targets[i] < targets[j] { body(i, j, scores[i] - scores[j]) }
            }
        }
        var largest = 0.0
        eachPair { largest = max(largest, $2) }
        var sum = exp(-largest)
        eachPair { sum += exp($2 - largest) }
        let loss = largest + log(sum)
        if batch.gradients != nil {
            var slopes = [Double](repeating: 0, count: count)
            eachPair { i, j, difference in
                let share = exp(difference - loss)
                slopes[i] += share
                slopes[j] -= share
            }
            let factor = Double(batch.scale) * Double(count) / temperature
            for group in 0..<count {
                unit.add(
                    slope: Float(factor * slopes[group]), ofCosine: batch.first(group), batch.first(group) + 1,
                    batch.team)
            }
            unit.backward(batch)
        }
        return loss * Double(count)
    }
}
