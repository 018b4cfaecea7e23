import GraftAdapters

/// A number that says how good an adapter is, from what an evaluation saw. A new one is a line in
/// the list of what it measures.
package struct Measure: Sendable {
    package let name: String
    /// Whether the best evaluation is that with the largest.
    let growsWithQuality: Bool
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
    private static let all = [Choices.measures, Choices.entityMeasures, LabelSets.measures, Values.measures]

    /// Every name, once.
    package static let names: [String] = ([[Measure.loss]] + all).joined().reduce(into: []) { names, measure in
        if !names.contains(measure.name) { names.append(measure.name) }
    }
}

/// What an evaluation saw, of the rows so far. A step gathers no more than the loss.
package struct Evidence: Sendable {
    var loss = 0.0
    /// What the sum of losses is divided by.
    var weight = 0.0
    var choices: Choices
    var labelSets: LabelSets
    var values: Values

    /// - Parameter labels: Of the head that is evaluated; none for a step.
    init(labels: [String] = []) {
        choices = Choices(labels: labels)
        labelSets = LabelSets(labelCount: labels.count)
        values = Values(width: labels.count)
    }
}
