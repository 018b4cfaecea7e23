import GraftFormats
import GraftTensor

/// Whether what two evaluations of the same rows measured differs by more than chance.
extension Evaluation {
    package static let comparisonTests = ["permutation", "bootstrap", "mcnemar"]

    /// `difference`, of this from the other; `gain`, the same above 0 where this is better; and
    /// `p_value`, of both sides.
    ///
    /// - Parameter test: "permutation": how often a difference as large comes about where rows
    ///   change sides at random (Noreen 1989). "bootstrap": twice how often the difference of a
    ///   sample of the rows has the other sign, with the interval of it, `low` and `high`.
    ///   "mcnemar": McNemar's exact test (1947) of rows that one of both gets right, `only_this`
    ///   and `only_other`.
    package func compared(
        with other: Evaluation, _ name: String, test: String, _ settings: JSONObject
    ) throws(GraftError) -> Evaluation {
        guard Self.comparisonTests.contains(test) else {
            throw GraftError(
                .notFound, "test \"\(test)\"; this build has \(Self.comparisonTests.joined(separator: ", "))")
        }
        let draws = [Resampling.resamples, Resampling.seed]
        let settings = try Settings(
            settings, of: test == "mcnemar" ? [] : test == "bootstrap" ? draws + [Resampling.confidence] : draws,
            owner: "test \"\(test)\"", place: "settings")
        let (measure, own) = try resampled(name)
        let (_, theirs) = try other.resampled(name)
        guard own.hasTruth(of: theirs) else {
            throw GraftError(
                .incompatible, "the evaluations are of different rows; expected the same, in the same order")
        }
        let difference = measure.value(own) - measure.value(theirs)
        let tested =
            switch test {
            case "permutation": try Self.permutation(measure, own, theirs, difference, settings)
            case "bootstrap": Self.bootstrap(measure, own, theirs, settings)
            default: try Self.mcNemar(own, theirs)
            }
        return Evaluation(
            [("difference", difference), ("gain", measure.growsWithQuality ? difference : -difference)] + tested,
            rowCount: rowCount, tokenCount: tokenCount)
    }

    private static func permutation(
        _ measure: Measure, _ own: Evidence, _ theirs: Evidence, _ difference: Double, _ settings: Settings
    ) throws(GraftError) -> [(name: String, value: Double)] {
        let (rows, samples) = (own.rowCount, settings.count(Resampling.resamples))
        guard own.scores.rowCount == 0 || theirs.scores.rowCount == 0 || own.scores.width == theirs.scores.width else {
            throw GraftError(
                .incompatible,
                "the evaluations have \(own.scores.width) and \(theirs.scores.width) scores a row; expected as many, so "
                    + "that rows can change sides, or the test \"bootstrap\"")
        }
        try Memory.require(
            512 * rows + 4 * (own.byteCount + theirs.byteCount), to: "comparing \(rows) rows")
        // All rows of both, of which each side has one of every two.
        var side = own.followed(by: theirs)
        side.prepare(for: measure)
        side.repeats.counts = Array(repeating: 0, count: 2 * rows)
        var other = side
        // Sums of the same numbers in another order are equal.
        let least = difference.magnitude * (1 - 1e-12)
        var asLarge = 0
        for sample in 0..<samples {
            Resampling.swap(rows, seed: settings.count(Resampling.seed), sample: sample) { row, isSwapped in
                side.repeats.counts[row] = isSwapped ? 0 : 1
                side.repeats.counts[rows + row] = isSwapped ? 1 : 0
                other.repeats.counts[row] = isSwapped ? 1 : 0
                other.repeats.counts[rows + row] = isSwapped ? 0 : 1
            }
            if (measure.value(side) - measure.value(other)).magnitude >= least { asLarge += 1 }
        }
        return [("p_value", difference.isNaN ? .nan : Double(1 + asLarge) / Double(1 + samples))]
    }

    private static func bootstrap(
        _ measure: Measure, _ own: Evidence, _ theirs: Evidence, _ settings: Settings
    ) -> [(name: String, value: Double)] {
        let rows = own.rowCount
        var (own, theirs) = (own, theirs)
        var counts = Array(repeating: Int32(0), count: rows)
        var found: [Double] = []
        for sample in 0..<settings.count(Resampling.resamples) {
            Resampling.bootstrap(rows, seed: settings.count(Resampling.seed), sample: sample, into: &counts)
            own.repeats.counts = counts
            theirs.repeats.counts = counts
            let drawn = measure.value(own) - measure.value(theirs)
            if !drawn.isNaN { found.append(drawn) }
        }
        found.sort()
        let side = min(found.count { $0 <= 0 }, found.count { $0 >= 0 })
        let tail = (1 - settings.number(Resampling.confidence)) / 2
        return [
            ("p_value", found.isEmpty ? .nan : min(1, 2 * Double(1 + side) / Double(1 + found.count))),
            ("low", Resampling.quantile(found, tail)), ("high", Resampling.quantile(found, 1 - tail)),
        ]
    }

    private static func mcNemar(
        _ own: Evidence, _ theirs: Evidence
    ) throws(GraftError) -> [(name: String, value: Double)] {
        guard let first = own.isRight, let second = theirs.isRight else {
            throw GraftError(
                .invalidArgument,
                "test \"mcnemar\" is of rows that are right or wrong; expected labels, label sets or answers")
        }
        let onlyOwn = zip(first, second).count { $0 && !$1 }
        let onlyTheirs = zip(first, second).count { !$0 && $1 }
        return [
            ("p_value", signTest(min(onlyOwn, onlyTheirs), of: onlyOwn + onlyTheirs)),
            ("only_this", Double(onlyOwn)), ("only_other", Double(onlyTheirs)),
        ]
    }

    /// Twice the chance of at most `few` heads of so many throws of a coin, at most 1.
    private static func signTest(_ few: Int, of count: Int) -> Double {
        // C(count, few) / 2^count, multiplied and halved in turn so that nothing overflows.
        var (last, halvings) = (1.0, 0)
        for place in 0..<few {
            last *= Double(count - place) / Double(place + 1)
            while last > 1, halvings < count {
                last /= 2
                halvings += 1
            }
        }
        while halvings < count, last > 0 {
            last /= 2
            halvings += 1
        }
        // And what is before it, each by the one behind it.
        var (sum, term) = (last, last)
        for place in stride(from: few, to: 0, by: -1) {
            term *= Double(place) / Double(count - place + 1)
            sum += term
            if term < sum * 1e-18 { break }
        }
        return min(1, 2 * sum)
    }
}

extension Evidence {
    /// Which items, or rows, were right; nil where none is right or wrong.
    fileprivate var isRight: [Bool]? {
        if !choices.isEmpty { return choices.pairs.map { $0.truth == $0.choice } }
        if labelSets.rowCount > 0 { return (0..<labelSets.rowCount).map(labelSets.isExact) }
        return rows["exact_match"]?.map { $0 == 1 }
    }
}
