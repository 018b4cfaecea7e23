import GraftAdapters

/// True and chosen labels of the rows, or tokens, of an evaluation, where each has one of several.
///
/// They are kept, not a count for each pair of labels: a head may have a million labels.
struct Choices: Sendable {
    /// Names, where the labels have some.
    let labels: [String]
    let labelCount: Int
    private(set) var pairs: [Pair] = []
    /// Where each row's pairs end; empty where each row has one.
    private(set) var rowEnds: [Int] = []
    var weights = Weights()
    private var correctCount = 0
    /// What is found once for all resamples.
    private var entityRows: [Bool: [EntityRow]] = [:]

    struct Pair: BitwiseCopyable {
        let truth: Int32
        let choice: Int32
    }

    /// Bytes that one takes.
    static let byteCount = MemoryLayout<Pair>.size

    init(labels: [String], labelCount: Int) {
        self.labels = labels
        self.labelCount = labelCount
    }

    mutating func reserve(_ count: Int) { pairs.reserveCapacity(count) }

    mutating func add(truth: Int32, choice: Int32) {
        pairs.append(Pair(truth: truth, choice: choice))
        if truth == choice { correctCount += 1 }
    }

    mutating func endRow() { rowEnds.append(pairs.count) }

    var isEmpty: Bool { pairs.isEmpty }
    var rowCount: Int { rowEnds.isEmpty ? pairs.count : rowEnds.count }

    func range(ofRow row: Int) -> Range<Int> {
        rowEnds.isEmpty ? row..<row + 1 : (row == 0 ? 0 : rowEnds[row - 1])..<rowEnds[row]
    }

    /// Adds each pair to the counts [labelCount, labelCount] of true (row) and chosen (column)
    /// labels.
    func count(into confusion: UnsafeMutableBufferPointer<Int64>) {
        for pair in pairs { confusion[Int(pair.truth) * labelCount + Int(pair.choice)] += 1 }
    }

    /// The same with weights, in an array.
    var weightedConfusion: [Double] {
        var confusion = Array(repeating: 0.0, count: labelCount * labelCount)
        for (item, pair) in pairs.enumerated() {
            confusion[Int(pair.truth) * labelCount + Int(pair.choice)] += weights[item]
        }
        return confusion
    }

    /// Calls `body` with each pair and its weight; a row that is not in the resample is left out.
    @inline(__always)
    private func each(_ repeats: Repeats, _ body: (Pair, Double) -> Void) {
        if repeats.counts.isEmpty {
            for item in pairs.indices { body(pairs[item], weights[item]) }
        } else {
            for row in repeats.counts.indices where repeats.counts[row] > 0 {
                for item in range(ofRow: row) { body(pairs[item], weights[item] * repeats[row]) }
            }
        }
    }

    /// What was counted of each label.
    func counts(_ repeats: Repeats) -> [LabelCount] {
        var counts = Array(repeating: LabelCount(), count: labelCount)
        each(repeats) { pair, weight in
            counts[Int(pair.truth)].add(weight, isTrue: true, isChosen: pair.truth == pair.choice)
            if pair.truth != pair.choice {
                counts[Int(pair.choice)].add(weight, isTrue: false, isChosen: true)
            }
        }
        return counts
    }

    /// The part of the weight that is right; NaN without any.
    func accuracy(_ repeats: Repeats) -> Double {
        if weights.values.isEmpty, repeats.counts.isEmpty {
            return pairs.isEmpty ? .nan : Double(correctCount) / Double(pairs.count)
        }
        var (correct, total) = (0.0, 0.0)
        each(repeats) { pair, weight in
            total += weight
            if pair.truth == pair.choice { correct += weight }
        }
        return total == 0 ? .nan : correct / total
    }

    /// Finds what a measure of entities reads of every row.
    mutating func prepareEntities(strict: Bool) {
        if entityRows[strict] == nil { entityRows[strict] = readEntities(strict: strict) }
    }

    /// nil where the labels are no tags.
    func entities(strict: Bool, _ repeats: Repeats) -> LabelCount? {
        guard let rows = entityRows[strict] ?? readEntities(strict: strict) else { return nil }
        var total = LabelCount()
        for (row, found) in rows.enumerated() {
            total.truths += repeats[row] * Double(found.truths)
            total.choices += repeats[row] * Double(found.choices)
            total.correct += repeats[row] * Double(found.correct)
        }
        return total
    }

    /// As `self` with the rows of another behind.
    func followed(by other: Choices) -> Choices {
        var both = self
        both.pairs += other.pairs
        both.rowEnds += other.rowEnds.map { $0 + pairs.count }
        both.weights.values += other.weights.values
        both.correctCount += other.correctCount
        both.entityRows = [:]
        return both
    }

    /// Whether another chose for the same rows.
    func hasTruth(of other: Choices) -> Bool {
        labelCount == other.labelCount && rowEnds == other.rowEnds && weights.values == other.weights.values
            && pairs.count == other.pairs.count && zip(pairs, other.pairs).allSatisfy { $0.truth == $1.truth }
    }
}

/// What was counted of one label, by weight.
struct LabelCount: BitwiseCopyable {
    var truths = 0.0
    var choices = 0.0
    var correct = 0.0
    /// Whether any row has it or was given it, of whatever weight.
    var occurs = false

    var precision: Double { choices == 0 ? 0 : correct / choices }
    var recall: Double { truths == 0 ? 0 : correct / truths }
    var f1: Double { truths + choices == 0 ? 0 : 2 * correct / (truths + choices) }

    @inline(__always)
    mutating func add(_ weight: Double, isTrue: Bool, isChosen: Bool) {
        if isTrue { truths += weight }
        if isChosen { choices += weight }
        if isTrue && isChosen { correct += weight }
        occurs = true
    }
}

extension [LabelCount] {
    /// The mean of what each is worth, over those that occur; NaN without any.
    func mean(_ value: (LabelCount) -> Double, weight: (LabelCount) -> Double = { _ in 1 }) -> Double {
        var (sum, total) = (0.0, 0.0)
        var (isAny, isAll) = (false, true)
        for count in self where count.occurs {
            isAny = true
            isAll = isAll && weight(count) == 0
            sum += weight(count) * value(count)
            total += weight(count)
        }
        return isAny ? (isAll ? 0 : sum / total) : .nan
    }

    /// All together.
    var total: LabelCount {
        reduce(into: LabelCount()) { total, count in
            total.truths += count.truths
            total.choices += count.choices
            total.correct += count.correct
            total.occurs = total.occurs || count.occurs
        }
    }
}
