import GraftAdapters

/// How many entities a row has, was given, and shares.
struct EntityRow: BitwiseCopyable {
    var truths: Int32 = 0
    var choices: Int32 = 0
    var correct: Int32 = 0
}

extension Choices {
    /// Of the entities that the tags of each row spell, all types together, as seqeval 1.2 has
    /// them: `entity_` in its default mode, `strict_entity_f1` with mode "strict" and scheme IOB2,
    /// or IOBES where there are tags with E or S. NaN where the labels are no tags.
    static let entityMeasures = [
        Measure("entity_f1") { $0.choices.entities(strict: false, $0.repeats)?.f1 ?? .nan },
        Measure("entity_precision") { $0.choices.entities(strict: false, $0.repeats)?.precision ?? .nan },
        Measure("entity_recall") { $0.choices.entities(strict: false, $0.repeats)?.recall ?? .nan },
        Measure("strict_entity_f1") { $0.choices.entities(strict: true, $0.repeats)?.f1 ?? .nan },
    ]

    /// nil where there is nothing, or the labels are no tags.
    func readEntities(strict: Bool) -> [EntityRow]? {
        guard !isEmpty, let scheme = TagScheme(labels: labels), !labels.isEmpty else { return nil }
        var reader = Reader(scheme, strict: strict)
        return (0..<rowCount).map { row in reader.read(pairs[range(ofRow: row)]) { _, _, _ in } }
    }

    /// Precision, recall, F1 and number of each type's entities, in the default mode; empty where
    /// the labels are no tags.
    var entityTypes: [LabelCount] {
        guard !isEmpty, !labels.isEmpty, let scheme = TagScheme(labels: labels) else { return [] }
        var counts = Array(repeating: LabelCount(), count: scheme.types.count)
        var reader = Reader(scheme, strict: false)
        for row in 0..<rowCount {
            _ = reader.read(pairs[range(ofRow: row)]) { type, isTrue, isChosen in
                counts[type].add(1, isTrue: isTrue, isChosen: isChosen)
            }
        }
        return counts
    }

    /// Reads row after row, which takes memory for the longest alone.
    private struct Reader {
        private let scheme: TagScheme
        private let strict: Bool
        private var tags: [Int32] = []
        private var truths: [TagScheme.Span] = []
        private var choices: [TagScheme.Span] = []

        init(_ scheme: TagScheme, strict: Bool) {
            self.scheme = scheme
            self.strict = strict
        }

        mutating func read(_ own: ArraySlice<Pair>, _ body: (Int, Bool, Bool) -> Void) -> EntityRow {
            readSpans(own, \.truth, into: \.truths)
            readSpans(own, \.choice, into: \.choices)
            var correct = 0
            // Both are in the order of their starts, and no two begin together.
            var place = 0
            for span in choices {
                while place < truths.count, truths[place].first < span.first { place += 1 }
                let isTrue = place < truths.count && truths[place] == span
                if isTrue { correct += 1 }
                body(span.type, isTrue, true)
            }
            place = 0
            for span in truths {
                while place < choices.count, choices[place].first < span.first { place += 1 }
                if place == choices.count || choices[place] != span { body(span.type, true, false) }
            }
            return EntityRow(truths: Int32(truths.count), choices: Int32(choices.count), correct: Int32(correct))
        }

        private mutating func readSpans(
            _ own: ArraySlice<Pair>, _ tag: (Pair) -> Int32, into spans: WritableKeyPath<Reader, [TagScheme.Span]>
        ) {
            tags.removeAll(keepingCapacity: true)
            for pair in own { tags.append(tag(pair)) }
            self[keyPath: spans].removeAll(keepingCapacity: true)
            if strict {
                scheme.strictEntities(tags, into: &self[keyPath: spans])
            } else {
                scheme.entities(tags, into: &self[keyPath: spans])
            }
        }
    }
}
