import GraftTensor

/// What an evaluation measured: named values, and what it saw, from which more can be told.
package final class Evaluation: Sendable {
    package let values: [(name: String, value: Double)]
    package let rowCount: Int
    package let tokenCount: Int
    /// nil where only the values are known.
    let evidence: Evidence?
    let measures: [Measure]

    init(
        _ values: [(name: String, value: Double)], rowCount: Int, tokenCount: Int, evidence: Evidence? = nil,
        measures: [Measure] = []
    ) {
        self.values = values
        self.rowCount = rowCount
        self.tokenCount = tokenCount
        self.evidence = evidence
        self.measures = measures
    }

    convenience init(_ evidence: Evidence, _ measures: [Measure], rowCount: Int, tokenCount: Int = 0) {
        var prepared = evidence
        prepared.prepareOrders()
        self.init(
            measures.map { ($0.name, $0.value(prepared)) }, rowCount: rowCount, tokenCount: tokenCount,
            evidence: evidence, measures: measures)
    }

    /// NaN where it has no such value.
    package func value(_ name: String) -> Double { values.first { $0.name == name }?.value ?? .nan }

    /// Rows and columns of the confusion matrix; 0 where there is none.
    package var labelCount: Int { evidence.map { $0.choices.isEmpty ? 0 : $0.choices.labelCount } ?? 0 }

    /// Counts [labels, labels] of true (row) and chosen (column) labels.
    package func count(into confusion: UnsafeMutableBufferPointer<Int64>) {
        confusion.update(repeating: 0)
        evidence?.choices.count(into: confusion)
    }
}
