/// True and predicted labels of the rows of an evaluation.
///
/// Rows are kept, not a count for each pair of labels: a head may have a million labels.
package struct Predictions: Sendable {
    package let labelCount: Int
    private var rows: [Row] = []

    private struct Row: BitwiseCopyable {
        let truth: Int
        let prediction: Int
    }

    package init(labelCount: Int) { self.labelCount = labelCount }

    package mutating func add(truth: Int, prediction: Int) { rows.append(Row(truth: truth, prediction: prediction)) }

    /// Adds each row to the counts [labelCount, labelCount] of true (row) and predicted (column) labels.
    package func count(into confusion: UnsafeMutableBufferPointer<Int64>) {
        for row in rows { confusion[row.truth * labelCount + row.prediction] += 1 }
    }

    package var accuracy: Double {
        let correct = rows.reduce(0) { $0 + ($1.truth == $1.prediction ? 1 : 0) }
        return rows.isEmpty ? .nan : Double(correct) / Double(rows.count)
    }

    /// Mean over the labels that occur or are predicted of F1 = 2 · correct / (occurrences + predictions), as
    /// scikit-learn's `f1_score(average="macro")`.
    package var macroF1: Double {
        var correct = Array(repeating: 0, count: labelCount)
        var mentions = Array(repeating: 0, count: labelCount)
        for row in rows {
            mentions[row.truth] += 1
            mentions[row.prediction] += 1
            if row.truth == row.prediction { correct[row.truth] += 1 }
        }
        var sum = 0.0
        var present = 0
        for label in 0..<labelCount where mentions[label] > 0 {
            present += 1
            sum += 2 * Double(correct[label]) / Double(mentions[label])
        }
        return present == 0 ? .nan : sum / Double(present)
    }
}
