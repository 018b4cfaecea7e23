/// What labels the rows of an evaluation have and were given, where each may have any number of
/// them.
struct LabelSets: Sendable {
    private let labelCount: Int
    /// Labels that a row has or was given, row after row.
    private var marks: [Mark] = []
    private var rowEnds: [Int] = []
    var weights = Weights()
    /// Of all rows once, counted for all measures.
    private var counted: [LabelCount] = []

    private struct Mark: BitwiseCopyable {
        let label: Int32
        let isTrue: Bool
        let isChosen: Bool
    }

    /// Bytes that one takes.
    static let byteCount = MemoryLayout<Mark>.stride

    init(labelCount: Int) { self.labelCount = labelCount }

    /// Of the next label of a row.
    mutating func add(label: Int, isTrue: Bool, isChosen: Bool) {
        if isTrue || isChosen { marks.append(Mark(label: Int32(label), isTrue: isTrue, isChosen: isChosen)) }
    }

    mutating func endRow() { rowEnds.append(marks.count) }

    var rowCount: Int { rowEnds.count }

    private func marks(ofRow row: Int) -> ArraySlice<Mark> { marks[(row == 0 ? 0 : rowEnds[row - 1])..<rowEnds[row]] }

    /// Whether a row was given what it has.
    func isExact(_ row: Int) -> Bool { marks(ofRow: row).allSatisfy { $0.isTrue == $0.isChosen } }

    mutating func prepare() {
        if counted.isEmpty { counted = counts(Repeats()) }
    }

    /// What was counted of each label.
    func counts(_ repeats: Repeats) -> [LabelCount] {
        if repeats.counts.isEmpty, !counted.isEmpty { return counted }
        var counts = Array(repeating: LabelCount(), count: labelCount)
        for row in rowEnds.indices where repeats[row] > 0 {
            for mark in marks(ofRow: row) {
                counts[Int(mark.label)].add(
                    repeats[row] * weights[row], isTrue: mark.isTrue, isChosen: mark.isChosen)
            }
        }
        // Averages are over all labels.
        for label in counts.indices { counts[label].occurs = true }
        return counts
    }

    /// As scikit-learn has them for indicator matrices, with `zero_division=0`; the averages are
    /// over all labels.
    static let measures = [
        Measure("exact_match") { $0.labelSets.exactMatch($0.repeats) },
        Measure("micro_f1") { $0.labelSets.measured($0.repeats)?.total.f1 ?? .nan },
        Measure("macro_f1") { $0.labelSets.measured($0.repeats)?.mean(\.f1) ?? .nan },
        Measure("weighted_f1") { $0.labelSets.measured($0.repeats)?.mean(\.f1, weight: \.truths) ?? .nan },
        Measure("precision") { $0.labelSets.measured($0.repeats)?.mean(\.precision) ?? .nan },
        Measure("recall") { $0.labelSets.measured($0.repeats)?.mean(\.recall) ?? .nan },
        Measure("micro_precision") { $0.labelSets.measured($0.repeats)?.total.precision ?? .nan },
        Measure("micro_recall") { $0.labelSets.measured($0.repeats)?.total.recall ?? .nan },
    ]

    private func measured(_ repeats: Repeats) -> [LabelCount]? { rowEnds.isEmpty ? nil : counts(repeats) }

    private func exactMatch(_ repeats: Repeats) -> Double {
        var (exact, total) = (0.0, 0.0)
        for row in rowEnds.indices {
            let weight = repeats[row] * weights[row]
            total += weight
            if isExact(row) { exact += weight }
        }
        return total == 0 ? .nan : exact / total
    }

    func followed(by other: LabelSets) -> LabelSets {
        var both = self
        both.marks += other.marks
        both.rowEnds += other.rowEnds.map { $0 + marks.count }
        both.weights.values += other.weights.values
        both.counted = []
        return both
    }

    func hasTruth(of other: LabelSets) -> Bool {
        labelCount == other.labelCount && rowCount == other.rowCount && weights.values == other.weights.values
            && rowEnds.indices.allSatisfy { row in
                marks(ofRow: row).lazy.filter(\.isTrue).map(\.label)
                    .elementsEqual(other.marks(ofRow: row).lazy.filter(\.isTrue).map(\.label))
            }
    }
}
