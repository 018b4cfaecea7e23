extension Choices {
    static let accuracy = Measure("accuracy") { $0.choices.accuracy($0.repeats) }

    /// As scikit-learn 1.9 has them, with `zero_division=0`; the averages are over the labels that
    /// occur or are chosen. `precision` and `recall` are macro averages.
    static let measures = [
        accuracy,
        Measure("macro_f1") { $0.choices.counts($0.repeats).mean(\.f1) },
        Measure("micro_f1") { $0.choices.isEmpty ? .nan : accuracy.value($0) },
        Measure("weighted_f1") { $0.choices.counts($0.repeats).mean(\.f1, weight: \.truths) },
        Measure("precision") { $0.choices.counts($0.repeats).mean(\.precision) },
        Measure("recall") { $0.choices.counts($0.repeats).mean(\.recall) },
        Measure("weighted_precision") { $0.choices.counts($0.repeats).mean(\.precision, weight: \.truths) },
        Measure("weighted_recall") { $0.choices.counts($0.repeats).mean(\.recall, weight: \.truths) },
        Measure("balanced_accuracy") { balancedAccuracy($0.choices.counts($0.repeats)) },
        Measure("mcc") { matthews($0.choices.counts($0.repeats)) },
        Measure("kappa") { kappa($0.choices.counts($0.repeats)) },
    ]

    /// Of label 1 against label 0.
    static let binaryMeasures = [
        Measure("binary_f1") { $0.choices.positive($0.repeats)?.f1 ?? .nan },
        Measure("binary_precision") { $0.choices.positive($0.repeats)?.precision ?? .nan },
        Measure("binary_recall") { $0.choices.positive($0.repeats)?.recall ?? .nan },
    ]

    private func positive(_ repeats: Repeats) -> LabelCount? {
        labelCount == 2 && !isEmpty ? counts(repeats)[1] : nil
    }

    /// The mean recall of the labels that are true of something.
    private static func balancedAccuracy(_ counts: [LabelCount]) -> Double {
        let known = counts.filter { $0.truths != 0 }
        return known.isEmpty ? .nan : known.reduce(0) { $0 + $1.recall } / Double(known.count)
    }

    /// Sums over the labels of products of how often each is true and chosen.
    private struct Products {
        var (total, correct, both, truths, choices) = (0.0, 0.0, 0.0, 0.0, 0.0)

        init(_ counts: [LabelCount]) {
            for count in counts {
                total += count.truths
                correct += count.correct
                both += count.truths * count.choices
                truths += count.truths * count.truths
                choices += count.choices * count.choices
            }
        }
    }

    /// The correlation of truth and choice (Gorodkin 2004); 0 where either is always the same.
    private static func matthews(_ counts: [LabelCount]) -> Double {
        let sums = Products(counts)
        guard sums.total > 0 else { return .nan }
        let spread = (sums.total * sums.total - sums.truths) * (sums.total * sums.total - sums.choices)
        return spread == 0 ? 0 : (sums.total * sums.correct - sums.both) / spread.squareRoot()
    }

    /// Agreement beyond chance (Cohen 1960); NaN where one label is both all that is true and all
    /// that is chosen.
    private static func kappa(_ counts: [LabelCount]) -> Double {
        let sums = Products(counts)
        let chance = sums.total * sums.total - sums.both
        return chance == 0 ? .nan : 1 - sums.total * (sums.total - sums.correct) / chance
    }
}
