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

    /// Of one question.
    static func measured(
        _ prediction: String, accepted: [String], _ script: Script
    ) -> [(name: String, value: Double)] {
        var (exact, f1) = (0.0, 0.0)
        switch script {
        case .squad:
            let given = AnswerText.tokens(prediction)
            var hasAnswer = false
            for answer in accepted {
                let known = AnswerText.tokens(answer)
                if known.isEmpty { continue }
                hasAnswer = true
                if known == given { exact = 1 }
                f1 = max(f1, harmonic(known.countShared(with: given), known.count, given.count))
            }
            if !hasAnswer, given.isEmpty { (exact, f1) = (1, 1) }
        case .cmrc:
            let text = AnswerText.withoutPunctuation(prediction)
            let given = AnswerText.segments(text)
            for answer in accepted.isEmpty ? [""] : accepted {
                let plain = AnswerText.withoutPunctuation(answer)
                let isExact = plain == text
                if isExact { exact = 1 }
                let known = AnswerText.segments(plain)
                let isNone = accepted.isEmpty && isExact
                f1 = max(f1, isNone ? 1 : harmonic(longestShared(known, given), known.count, given.count))
            }
        }
        return [("exact_match", exact), ("f1", f1), ("is_empty", prediction.isEmpty ? 1 : 0)]
    }

    /// Of precision and recall, computed as the scripts do.
    private static func harmonic(_ shared: Int, _ known: Int, _ given: Int) -> Double {
        guard shared > 0 else { return 0 }
        let (precision, recall) = (Double(shared) / Double(given), Double(shared) / Double(known))
        return 2 * precision * recall / (precision + recall)
    }

    /// The length of the longest run of tokens that both have.
    private static func longestShared(_ known: [AnswerText.Token], _ given: [AnswerText.Token]) -> Int {
        var lengths = Array(repeating: 0, count: given.count + 1)
        var longest = 0
        for token in known {
            for place in given.indices.reversed() {
                lengths[place + 1] = given[place] == token ? lengths[place] + 1 : 0
                longest = max(longest, lengths[place + 1])
            }
        }
        return longest
    }
}

extension RowValues {
    /// Of the questions that have an answer, or of the others.
    fileprivate func mean(_ name: String, hasAnswer: Bool, _ repeats: Repeats) -> Double {
        guard let values = columns[name], let noAnswer else { return .nan }
        var (sum, total) = (0.0, 0.0)
        for row in values.indices where noAnswer.hasAnswer[row] == hasAnswer {
            sum += repeats[row] * values[row]
            total += repeats[row]
        }
        return total == 0 ? .nan : sum / total
    }

    fileprivate func best(_ name: String, _ repeats: Repeats) -> (threshold: Double, mean: Double) {
        guard let worth = columns[name], let isEmpty = columns["is_empty"], let noAnswer, !noAnswer.scores.isEmpty
        else { return (.nan, .nan) }
        return noAnswer.best(worth: worth, isEmpty: isEmpty, repeats)
    }
}
