import GraftAdapters
import GraftTensor

/// What an evaluation measured: named values, the loss first, and where labels were chosen how
/// often each for which.
package final class Evaluation: Sendable {
    package let values: [(name: String, value: Double)]
    package let rowCount: Int
    package let tokenCount: Int
    private let choices: Choices?

    init(
        _ values: [(name: String, value: Double)], rowCount: Int, tokenCount: Int, choices: Choices? = nil
    ) {
        self.values = values
        self.rowCount = rowCount
        self.tokenCount = tokenCount
        self.choices = choices
    }

    /// NaN where it has no such value.
    package func value(_ name: String) -> Double { values.first { $0.name == name }?.value ?? .nan }

    /// Rows and columns of the confusion matrix; 0 where there is none.
    package var labelCount: Int { choices?.labels.count ?? 0 }

    /// Counts [labels, labels] of true (row) and chosen (column) labels.
    package func count(into confusion: UnsafeMutableBufferPointer<Int64>) {
        confusion.update(repeating: 0)
        choices?.count(into: confusion)
    }
}
