/// What labels the rows of an evaluation have and were given, where each may have any number of
/// them.
struct LabelSets: Sendable {
    private var counts: [Choices.Count]
    private var rowCount = 0
    private var exactCount = 0

    init(labelCount: Int) { counts = Array(repeating: Choices.Count(), count: labelCount) }

    /// A label is a row's where the target is at least a half, and is given to it where its logit
    /// is above zero, which is a probability above a half.
    mutating func add(targets: UnsafeBufferPointer<Float>, logits: UnsafePointer<Float>) {
        var isExact = true
        for label in counts.indices {
            let (isTrue, isChosen) = (targets[label] >= 0.5, logits[label] > 0)
            if isTrue { counts[label].truths += 1 }
            if isChosen { counts[label].choices += 1 }
            if isTrue && isChosen { counts[label].correct += 1 }
            if isTrue != isChosen { isExact = false }
        }
        rowCount += 1
        exactCount += isExact ? 1 : 0
    }

    /// As scikit-learn has them for indicator matrices, with `zero_division=0`.
    static let measures = [
        Measure("exact_match") { evidence in
            let sets = evidence.labelSets
            return sets.rowCount == 0 ? .nan : Double(sets.exactCount) / Double(sets.rowCount)
        },
        Measure("micro_f1") { evidence in
            let sets = evidence.labelSets
            return sets.rowCount == 0 ? .nan : sets.total.f1
        },
        Measure("macro_f1") { evidence in
            let sets = evidence.labelSets
            guard sets.rowCount > 0 else { return .nan }
            return sets.counts.reduce(0) { $0 + $1.f1 } / Double(sets.counts.count)
        },
    ]

    private var total: Choices.Count {
        counts.reduce(into: Choices.Count()) { total, count in
            total.truths += count.truths
            total.choices += count.choices
            total.correct += count.correct
        }
    }
}
