import GraftFormats
import GraftTensor

/// How far a measure would be off on other rows of the same kind (Efron and Tibshirani 1993).
extension Evaluation {
    package static let intervalMethods = ["percentile", "bca"]

    /// Groups of rows that are left out in turn, at most, for "bca".
    private static let groupCount = 2000

    /// `value`, `low`, `high`, `standard_error`, and `resamples`: how many of them had a value.
    ///
    /// - Parameter method: "percentile", or "bca": corrected for bias and skewness (Efron 1987), as
    ///   scipy's `bootstrap` does it. What each row contributes is measured without it; of more
    ///   than 2,000 rows, without a 2,000th of them at a time.
    package func interval(
        _ name: String, method: String, _ settings: JSONObject
    ) throws(GraftError) -> Evaluation {
        guard Self.intervalMethods.contains(method) else {
            throw GraftError(
                .notFound, "interval \"\(method)\"; this build has \(Self.intervalMethods.joined(separator: ", "))")
        }
        let settings = try Settings(
            settings, of: [Resampling.resamples, Resampling.seed, Resampling.confidence], owner: "an interval",
            place: "settings")
        var (measure, evidence) = try resampled(name)
        let rows = evidence.rowCount
        let value = measure.value(evidence)
        var found: [Double] = []
        evidence.repeats.counts = Array(repeating: 1, count: rows)
        for sample in 0..<settings.count(Resampling.resamples) {
            Resampling.bootstrap(
                rows, seed: settings.count(Resampling.seed), sample: sample, into: &evidence.repeats.counts)
            let drawn = measure.value(evidence)
            if !drawn.isNaN { found.append(drawn) }
        }
        found.sort()
        let tail = (1 - settings.number(Resampling.confidence)) / 2
        var parts = (low: tail, high: 1 - tail)
        if method == "bca" {
            let below = Double(found.count { $0 < value }) + Double(found.count { $0 == value }) / 2
            let bias = NormalDistribution.quantile(below / Double(found.count))
            let skew = Self.acceleration(measure, &evidence)
            func corrected(_ part: Double) -> Double {
                let shifted = bias + NormalDistribution.quantile(part)
                return NormalDistribution.below(bias + shifted / (1 - skew * shifted))
            }
            // Where all samples are on one side, there is nothing to correct by.
            if bias.isFinite { parts = (corrected(tail), corrected(1 - tail)) }
        }
        let mean = found.reduce(0, +) / Double(found.count)
        let spread = found.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(found.count - 1)
        return Evaluation(
            [
                ("value", value), ("low", Resampling.quantile(found, parts.low)),
                ("high", Resampling.quantile(found, parts.high)),
                ("standard_error", found.count < 2 ? .nan : spread.squareRoot()),
                ("resamples", Double(found.count)),
            ], rowCount: rows, tokenCount: tokenCount)
    }

    /// A sixth of the skewness of what the rows contribute.
    private static func acceleration(_ measure: Measure, _ evidence: inout Evidence) -> Double {
        let rows = evidence.rowCount
        let groups = min(rows, groupCount)
        var found: [Double] = []
        for row in 0..<rows { evidence.repeats.counts[row] = 1 }
        for group in 0..<groups {
            let left = group * rows / groups..<(group + 1) * rows / groups
            for row in left { evidence.repeats.counts[row] = 0 }
            found.append(measure.value(evidence))
            for row in left { evidence.repeats.counts[row] = 1 }
        }
        let mean = found.reduce(0, +) / Double(groups)
        var (cubes, squares) = (0.0, 0.0)
        for value in found {
            let part = Double(groups - 1) * (mean - value) / Double(groups)
            cubes += part * part * part
            squares += part * part
        }
        let skew = cubes / (squares * squares.squareRoot()) / 6
        return skew.isFinite ? skew : 0
    }
}
