import GraftAdapters

/// True and chosen labels of the rows, or tokens, of an evaluation, where each has one of several.
///
/// They are kept, not a count for each pair of labels: a head may have a million labels. A language
/// model's tokens, whose labels are the vocabulary, are only counted.
package struct Choices: Sendable {
    package let labels: [String]
    private var pairs: [Pair] = []
    /// Where each row's pairs end.
    private var rowEnds: [Int] = []
    private var count = 0
    private var correctCount = 0

    private struct Pair: BitwiseCopyable {
        let truth: Int32
        let choice: Int32
    }

    /// Bytes that one takes.
    static let byteCount = MemoryLayout<Pair>.size

    init(labels: [String]) { self.labels = labels }

    mutating func add(truth: Int32, choice: Int32) {
        pairs.append(Pair(truth: truth, choice: choice))
        add(counted: 1, correct: truth == choice ? 1 : 0)
    }

    mutating func add(counted: Int, correct: Int) {
        count += counted
        correctCount += correct
    }

    mutating func endRow() { rowEnds.append(pairs.count) }

    /// Adds each pair to the counts [labels, labels] of true (row) and chosen (column) labels.
    package func count(into confusion: UnsafeMutableBufferPointer<Int64>) {
        for pair in pairs { confusion[Int(pair.truth) * labels.count + Int(pair.choice)] += 1 }
    }

    package var isEmpty: Bool { pairs.isEmpty }

    // ---- Measures ----

    /// As scikit-learn 1.9 has them, with `zero_division=0`; the averages are over the labels that
    /// occur or are chosen.
    static let measures = [
        accuracy,
        Measure("macro_f1") { $0.choices.mean(\.f1) },
        Measure("micro_f1") { $0.choices.pairs.isEmpty ? .nan : accuracy.value($0) },
        Measure("weighted_f1") { $0.choices.mean(\.f1, weight: { Double($0.truths) }) },
        Measure("precision") { $0.choices.mean(\.precision) },
        Measure("recall") { $0.choices.mean(\.recall) },
        Measure("mcc") { $0.choices.matthews },
    ]

    static let accuracy = Measure("accuracy") { evidence in
        let choices = evidence.choices
        return choices.count == 0 ? .nan : Double(choices.correctCount) / Double(choices.count)
    }

    /// What was counted of one label.
    struct Count: BitwiseCopyable {
        var truths = 0
        var choices = 0
        var correct = 0

        var precision: Double { choices == 0 ? 0 : Double(correct) / Double(choices) }
        var recall: Double { truths == 0 ? 0 : Double(correct) / Double(truths) }
        var f1: Double { truths + choices == 0 ? 0 : 2 * Double(correct) / Double(truths + choices) }
    }

    private var counts: [Count] {
        var counts = Array(repeating: Count(), count: labels.count)
        for pair in pairs {
            counts[Int(pair.truth)].truths += 1
            counts[Int(pair.choice)].choices += 1
            if pair.truth == pair.choice { counts[Int(pair.truth)].correct += 1 }
        }
        return counts
    }

    private func mean(_ value: (Count) -> Double, weight: (Count) -> Double = { _ in 1 }) -> Double {
        var (sum, total) = (0.0, 0.0)
        for count in counts where count.truths + count.choices > 0 {
            sum += weight(count) * value(count)
            total += weight(count)
        }
        return total == 0 ? .nan : sum / total
    }

    /// The correlation of truth and choice (Gorodkin 2004); 0 where either is always the same.
    private var matthews: Double {
        guard !pairs.isEmpty else { return .nan }
        let (total, correct) = (Double(pairs.count), Double(correctCount))
        var (both, truths, choices) = (0.0, 0.0, 0.0)
        for count in counts {
            both += Double(count.truths) * Double(count.choices)
            truths += Double(count.truths) * Double(count.truths)
            choices += Double(count.choices) * Double(count.choices)
        }
        let spread = (total * total - truths) * (total * total - choices)
        return spread == 0 ? 0 : (total * correct - both) / spread.squareRoot()
    }

    // ---- Measures of named entities ----

    /// Of the entities that the tags of each row spell, all types together, as seqeval 1.2 has
    /// them: `entity_` in its default mode, `strict_entity_f1` with mode "strict" and scheme IOB2.
    /// NaN where the labels are no tags.
    static let entityMeasures = [
        Measure("entity_f1") { $0.choices.entities(TagScheme.entities)?.f1 ?? .nan },
        Measure("entity_precision") { $0.choices.entities(TagScheme.entities)?.precision ?? .nan },
        Measure("entity_recall") { $0.choices.entities(TagScheme.entities)?.recall ?? .nan },
        Measure("strict_entity_f1") { $0.choices.entities(TagScheme.strictEntities)?.f1 ?? .nan },
    ]

    private func entities(_ read: (TagScheme) -> ([Int32], inout [TagScheme.Span]) -> Void) -> Count? {
        guard !pairs.isEmpty, let scheme = TagScheme(labels: labels) else { return nil }
        let spans = read(scheme)
        var total = Count()
        var first = 0
        var (tags, truths, choices) = ([Int32](), [TagScheme.Span](), [TagScheme.Span]())
        for end in rowEnds {
            func take(_ tag: (Pair) -> Int32, _ found: inout [TagScheme.Span]) {
                tags.removeAll(keepingCapacity: true)
                for pair in pairs[first..<end] { tags.append(tag(pair)) }
                found.removeAll(keepingCapacity: true)
                spans(tags, &found)
            }
            take(\.truth, &truths)
            take(\.choice, &choices)
            total.truths += truths.count
            total.choices += choices.count
            // Both are in the order of their starts, and no two begin together.
            var place = 0
            for span in choices {
                while place < truths.count, truths[place].first < span.first { place += 1 }
                if place < truths.count, truths[place] == span { total.correct += 1 }
            }
            first = end
        }
        return total
    }
}
