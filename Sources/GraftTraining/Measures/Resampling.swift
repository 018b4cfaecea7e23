import GraftFormats
import GraftTensor

/// Random samples of the rows of an evaluation. Those of a seed are the same on every machine.
enum Resampling {
    /// Settings of all that draws.
    static let resamples = Setting.count("resamples", 9999, in: 1...1_000_000, "Samples of the rows that are drawn.")
    static let seed = Setting.count("seed", 0, in: 0...Int.max, "Of the draws.")
    static let confidence = Setting.number(
        "confidence", 0.95, in: 0.5...0.999_999, "How often an interval is to hold what it estimates.")

    /// How often each of so many rows is drawn, where as many are drawn and put back (Efron 1979).
    static func bootstrap(_ rows: Int, seed: Int, sample: Int, into counts: inout [Int32]) {
        let key = mixed(UInt64(seed), UInt64(sample))
        for row in 0..<rows { counts[row] = 0 }
        for draw in 0..<rows {
            counts[Int(mixed(key, UInt64(draw)).multipliedFullWidth(by: UInt64(rows)).high)] += 1
        }
    }

    /// Which of two sides each of so many rows belongs to.
    static func swap(_ rows: Int, seed: Int, sample: Int, _ body: (_ row: Int, _ isSwapped: Bool) -> Void) {
        let key = mixed(UInt64(seed), UInt64(sample))
        var bits: UInt64 = 0
        for row in 0..<rows {
            if row % 64 == 0 { bits = mixed(key, UInt64(row / 64)) }
            body(row, bits & 1 == 1)
            bits >>= 1
        }
    }

    /// As numpy's `quantile`, of numbers in ascending order.
    static func quantile(_ sorted: [Double], _ part: Double) -> Double {
        guard let last = sorted.last, !part.isNaN else { return .nan }
        let place = part * Double(sorted.count - 1)
        let index = Int(place)
        guard index < sorted.count - 1 else { return last }
        let (low, high, share) = (sorted[index], sorted[index + 1], place - Double(index))
        return share < 0.5 ? low + (high - low) * share : high - (high - low) * (1 - share)
    }
}

extension Evaluation {
    /// A measure that rows have, so that it can be taken of a sample of them.
    func resampled(_ name: String) throws(GraftError) -> (measure: Measure, evidence: Evidence) {
        let known = measures.filter { $0.name != Measure.loss.name }
        guard let evidence, evidence.rowCount > 0 else {
            throw GraftError(
                .invalidArgument,
                "the evaluation keeps no rows to draw from: it is an interval or a comparison, or was restored"
            )
        }
        guard let measure = known.first(where: { $0.name == name }) else {
            throw GraftError(
                .notFound,
                "measure \"\(name)\"; what can be drawn of the evaluation is \(known.map(\.name).joined(separator: ", "))"
            )
        }
        // Orders of the rows, and what is drawn.
        try Memory.require(
            64 * (evidence.rowCount + evidence.choices.labelCount) + evidence.byteCount,
            to: "drawing from \(evidence.rowCount) rows")
        var prepared = evidence
        prepared.prepare(for: measure)
        return (measure, prepared)
    }
}
