import GraftTensor

/// How well texts answer questions: a row is worth what its prediction shares with the accepted
/// answer that it is nearest to, as the scripts of the data sets have it, but from 0 to 1.
///
/// A question without accepted answers has none, and is answered by an empty text.
enum Answers {
    /// Whose `exact_match` and `f1`.
    enum Script: String, CaseIterable {
        /// SQuAD 2.0's; equal to that of 1.1 but where nothing but articles and punctuation is
        /// compared.
        case squad
        /// CMRC 2018's.
        case cmrc
    }

    static let measures =
        ["exact_match", "f1"].map { name in Measure(name) { $0.rows.mean(name, $0.repeats) } }
        + [
            Measure("has_answer_exact_match") { $0.rows.mean("exact_match", hasAnswer: true, $0.repeats) },
            Measure("has_answer_f1") { $0.rows.mean("f1", hasAnswer: true, $0.repeats) },
            Measure("no_answer_exact_match") { $0.rows.mean("exact_match", hasAnswer: false, $0.repeats) },
            Measure("no_answer_f1") { $0.rows.mean("f1", hasAnswer: false, $0.repeats) },
        ]

    /// What the best threshold on the scores of "no answer" gives, as SQuAD 2.0's script finds it:
    /// to be chosen on rows for validation.
    static let thresholdMeasures = [
        Measure("best_exact_match") { $0.rows.best("exact_match", $0.repeats).mean },
        Measure("best_exact_match_threshold") { $0.rows.best("exact_match", $0.repeats).threshold },
        Measure("best_f1") { $0.rows.best("f1", $0.repeats).mean },
        Measure("best_f1_threshold") { $0.rows.best("f1", $0.repeats).threshold },
    ]

    /// Of each question.
    static func measured(
        _ predictions: [String], accepted: [ArraySlice<String>], _ script: Script
    ) throws(GraftError) -> RowValues {
        var exact: [Double] = []
        var f1: [Double] = []
        exact.reserveCapacity(predictions.count)
        f1.reserveCapacity(predictions.count)
        var comparison = Comparison()
        for (prediction, accepted) in zip(predictions, accepted) {
            // A key and a count of each token, of which a character may be one.
            let size = accepted.reduce(prediction.utf8.count) { $0 + $1.utf8.count }
            try Memory.require(96 * size, to: "comparing answers")
            let own =
                switch script {
                case .squad: comparison.asSQuAD(prediction, accepted)
                case .cmrc: comparison.asCMRC(prediction, accepted)
                }
            exact.append(own.exact)
            f1.append(own.f1)
        }
        let isEmpty = predictions.map { $0.isEmpty ? 1.0 : 0 }
        return RowValues(["exact_match": exact, "f1": f1, "is_empty": isEmpty])
    }

    private struct Comparison {
        private var given = AnswerTokens()
        private var known = AnswerTokens()

        mutating func asSQuAD(_ prediction: String, _ accepted: ArraySlice<String>) -> (exact: Double, f1: Double) {
            given.readSQuAD(prediction)
            var (exact, f1, hasAnswer) = (0.0, 0.0, false)
            for answer in accepted {
                known.readSQuAD(answer)
                if known.isEmpty { continue }
                hasAnswer = true
                if known == given { exact = 1 }
                f1 = max(f1, harmonic(known.countShared(with: given)))
            }
            return !hasAnswer && given.isEmpty ? (1, 1) : (exact, f1)
        }

        mutating func asCMRC(_ prediction: String, _ accepted: ArraySlice<String>) -> (exact: Double, f1: Double) {
            let text = AnswerTokens.withoutPunctuation(prediction)
            given.readCMRC(text)
            var (exact, f1) = (0.0, 0.0)
            for answer in accepted.isEmpty ? [""] : accepted {
                let plain = AnswerTokens.withoutPunctuation(answer)
                let isExact = plain == text
                if isExact { exact = 1 }
                known.readCMRC(plain)
                f1 = max(f1, accepted.isEmpty && isExact ? 1 : harmonic(known.longestRunShared(with: given)))
            }
            return (exact, f1)
        }

        /// Of precision and recall, computed as the scripts do.
        private func harmonic(_ shared: Int) -> Double {
            guard shared > 0 else { return 0 }
            let (precision, recall) = (Double(shared) / Double(given.count), Double(shared) / Double(known.count))
            return 2 * precision * recall / (precision + recall)
        }
    }
}

extension RowValues {
    /// Of the questions that have an answer, or of the others.
    fileprivate func mean(_ name: String, hasAnswer: Bool, _ repeats: Repeats) -> Double {
        guard let values = self[name], let noAnswer else { return .nan }
        var (sum, total) = (0.0, 0.0)
        for row in values.indices where noAnswer.hasAnswer[row] == hasAnswer {
            sum += repeats[row] * values[row]
            total += repeats[row]
        }
        return total == 0 ? .nan : sum / total
    }

    fileprivate func best(_ name: String, _ repeats: Repeats) -> (threshold: Double, mean: Double) {
        guard let worth = self[name], let isEmpty = self["is_empty"], let noAnswer, !noAnswer.scores.isEmpty
        else { return (.nan, .nan) }
        return noAnswer.best(worth: worth, isEmpty: isEmpty, repeats)
    }
}
