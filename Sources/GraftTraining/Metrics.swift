/// What a step or an evaluation measured. NaN marks what does not apply.
package struct Metrics: Sendable, BitwiseCopyable {
    package var loss = Double.nan
    package var accuracy = Double.nan
    package var macroF1 = Double.nan
    package var learningRate = Double.nan
    package var gradientNorm = Double.nan
    package var tokensPerSecond = Double.nan
    package var step = 0
    package var totalSteps = 0
    package var epoch = 0
    package var rowCount = 0
    package var tokenCount = 0
    package var isEvaluation = false

    package init() {}
}

/// Counts of true (row) and predicted (column) labels.
package struct ConfusionMatrix: Sendable {
    package let labelCount: Int
    package private(set) var counts: [Int64]

    package init(labelCount: Int) {
        self.labelCount = labelCount
        counts = Array(repeating: 0, count: labelCount * labelCount)
    }

    package mutating func add(truth: Int, prediction: Int) { counts[truth * labelCount + prediction] += 1 }

    package var accuracy: Double {
        let total = counts.reduce(0, +)
        let correct = (0..<labelCount).reduce(0) { $0 + counts[$1 * labelCount + $1] }
        return total == 0 ? .nan : Double(correct) / Double(total)
    }

    /// Mean over the labels that occur or are predicted of F1 = 2 · correct / (occurrences + predictions), as
    /// scikit-learn's `f1_score(average="macro")`.
    package var macroF1: Double {
        var sum = 0.0
        var present = 0
        for label in 0..<labelCount {
            var occurrences: Int64 = 0
            var predictions: Int64 = 0
            for other in 0..<labelCount {
                occurrences += counts[label * labelCount + other]
                predictions += counts[other * labelCount + label]
            }
            guard occurrences + predictions > 0 else { continue }
            present += 1
            sum += 2 * Double(counts[label * labelCount + label]) / Double(occurrences + predictions)
        }
        return present == 0 ? .nan : sum / Double(present)
    }
}
