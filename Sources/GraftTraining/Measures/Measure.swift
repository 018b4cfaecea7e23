import GraftAdapters

/// A number that says how good an adapter is, from what an evaluation saw. A new one is a line in
/// the list of what it measures.
package struct Measure: Sendable {
    package let name: String
    /// Whether the best evaluation is that with the largest.
    package let growsWithQuality: Bool
    /// NaN where there is nothing to measure.
    let value: @Sendable (Evidence) -> Double

    init(_ name: String, growsWithQuality: Bool = true, _ value: @escaping @Sendable (Evidence) -> Double) {
        self.name = name
        self.growsWithQuality = growsWithQuality
        self.value = value
    }

    static let loss = Measure("loss", growsWithQuality: false) { $0.weight > 0 ? $0.loss / $0.weight : .nan }
}

package enum Measures {
    /// What each kind of evidence is measured by, besides the loss.
    static let all = [
        Choices.measures, Choices.binaryMeasures, Choices.entityMeasures, Scores.measures, Scores.probabilityMeasures,
        Scores.binaryMeasures, LabelSets.measures, Values.measures, Answers.measures, Answers.thresholdMeasures,
        Rankings.measures, Spans.measures, Rewards.measures, WrittenTexts.measures, PredictedRow.measures,
    ]

    /// Every name, once.
    package static let names: [String] = ([[Measure.loss]] + all).joined().reduce(into: []) {
        names, measure in
        if !names.contains(measure.name) { names.append(measure.name) }
    }
}

/// What an evaluation saw, of the rows so far. A step gathers no more than the loss.
package struct Evidence: Sendable {
    var loss = 0.0
    /// What the sum of losses is divided by.
    var weight = 0.0
    var choices: Choices
    var scores: Scores
    var labelSets: LabelSets
    var values: Values
    var rows = RowValues()
    var written = WrittenTexts()
    /// How often each row counts.
    var repeats = Repeats()

    /// - Parameter labels: Of the head that is evaluated; none for a step.
    init(labels: [String] = []) {
        choices = Choices(labels: labels, labelCount: labels.count)
        scores = Scores(width: labels.count)
        labelSets = LabelSets(labelCount: labels.count)
        values = Values(width: labels.count)
    }

    init(labelCount: Int) {
        choices = Choices(labels: [], labelCount: labelCount)
        scores = Scores(width: labelCount)
        labelSets = LabelSets(labelCount: labelCount)
        values = Values(width: labelCount)
    }
}

extension Evidence {
    /// Rows that can be drawn by themselves.
    var rowCount: Int { max(choices.rowCount, labelSets.rowCount, values.rowCount, rows.rowCount) }

    /// Of the numbers that are kept and put in order.
    var byteCount: Int {
        MemoryLayout<Double>.stride * (scores.rowCount * scores.width + values.rowCount * values.width)
    }

    /// As `self` with the rows of another behind.
    func followed(by other: Evidence) -> Evidence {
        var both = self
        both.choices = choices.followed(by: other.choices)
        both.scores = scores.followed(by: other.scores)
        both.labelSets = labelSets.followed(by: other.labelSets)
        both.values = values.followed(by: other.values)
        both.rows = rows.followed(by: other.rows)
        both.written = written.followed(by: other.written)
        return both
    }

    /// Whether another saw the same rows.
    func hasTruth(of other: Evidence) -> Bool {
        choices.hasTruth(of: other.choices) && labelSets.hasTruth(of: other.labelSets)
            && values.hasTruth(of: other.values) && rows.hasTruth(of: other.rows)
    }

    /// Finds once what a measure would find anew in every resample.
    mutating func prepare(for measure: Measure) {
        if Choices.entityMeasures.contains(where: { $0.name == measure.name }) {
            choices.prepareEntities(strict: measure.name == "strict_entity_f1")
        }
        prepareOrders()
    }

    /// Counts and sorts once what several measures read.
    mutating func prepareOrders() {
        labelSets.prepare()
        scores.prepare()
        values.prepare()
        rows.noAnswer?.prepare()
    }
}

/// How often each row counts in a resample of the rows. A row that does not is as if it were not
/// there.
struct Repeats: Sendable {
    /// None: each row once.
    var counts: [Int32] = []

    @inline(__always)
    subscript(row: Int) -> Double { counts.isEmpty ? 1 : Double(counts[row]) }
}

/// Weights of rows or items; none where all are 1.
struct Weights: Sendable {
    var values: [Double] = []

    @inline(__always)
    subscript(item: Int) -> Double { values.isEmpty ? 1 : values[item] }
}
