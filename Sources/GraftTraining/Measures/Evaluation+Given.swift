import GraftAdapters
import GraftFormats
import GraftTensor

/// Evaluations of what a caller has: no trainer, no model.
extension Evaluation {
    package typealias Labels = UnsafeBufferPointer<Int32>
    package typealias Numbers = UnsafeBufferPointer<Double>

    /// Settings of scores.
    private static let threshold = Setting.number(
        "threshold", 0.5, in: -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude,
        "Score from which on label 1 is chosen, where there is one a row.")
    private static let probabilities = Setting.flag(
        "probabilities", true, "Whether scores are probabilities, from 0 to 1, which have a log_loss and a brier.")
    /// Setting of label sets.
    private static let thresholds = Setting.numbers(
        "threshold", 0.5, in: -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude,
        "Scores from which on a label is chosen: one of all, or one of each.")
    /// Setting of texts.
    private static let tokenize = Setting.choice(
        "tokenize", "13a", of: WrittenTokens.allCases.map(\.rawValue),
        "What is counted, by sacrebleu's names: words of languages with blanks between them (13a), Chinese characters "
            + "and words of others (zh), or all characters (char).")
    /// Setting of rankings.
    private static let cutoff = Setting.count("k", 10, in: 1...1 << 30, "Places of what is measured \"at k\".")

    /// Of one of several labels each.
    package static func ofLabels(
        truth: Labels, chosen: Labels, weights: Numbers?, labelCount: Int
    ) throws(GraftError) -> Evaluation {
        var evidence = try begin(labelCount: labelCount, rows: truth.count, bytes: 16)
        try check(truth, "truth", below: labelCount)
        try check(chosen, "chosen", below: labelCount)
        evidence.choices.reserve(truth.count)
        for row in truth.indices { evidence.choices.add(truth: truth[row], choice: chosen[row]) }
        evidence.choices.weights = try checked(weights)
        let measures = Choices.measures + (labelCount == 2 ? Choices.binaryMeasures : [])
        return Evaluation(evidence, measures, rowCount: truth.count)
    }

    /// Of one of several labels each, by the scores of all of them, or of label 1 alone.
    package static func ofScores(
        truth: Labels, scores: Numbers, weights: Numbers?, width: Int, _ settings: JSONObject
    ) throws(GraftError) -> Evaluation {
        let settings = try Settings(settings, of: [threshold, probabilities], owner: "scores", place: "settings")
        let labelCount = max(width, 2)
        let least = settings.number(threshold)
        var evidence = try begin(labelCount: labelCount, rows: truth.count, bytes: 48 + 8 * width)
        try check(truth, "truth", below: labelCount)
        try check(scores, width: width, settings)
        evidence.scores = Scores(width: width)
        evidence.scores.reserve(truth.count)
        evidence.choices.reserve(truth.count)
        for row in truth.indices {
            let own = UnsafeBufferPointer(rebasing: scores[row * width..<(row + 1) * width])
            evidence.scores.add(truth: truth[row], numbers: own)
            let choice = width == 1 ? (own[0] >= least ? 1 : 0) : largest(own)
            evidence.choices.add(truth: truth[row], choice: Int32(choice))
        }
        evidence.scores.weights = try checked(weights)
        evidence.choices.weights = evidence.scores.weights
        return Evaluation(
            evidence,
            Choices.measures + (labelCount == 2 ? Choices.binaryMeasures : []) + Scores.measures
                + (settings.flag(probabilities) ? Scores.probabilityMeasures : [])
                + (labelCount == 2 ? Scores.binaryMeasures : []), rowCount: truth.count)
    }

    /// Of any number of labels each, by the scores of all of them.
    package static func ofLabelSets(
        truth: Labels, scores: Numbers, weights: Numbers?, width: Int, _ settings: JSONObject
    ) throws(GraftError) -> Evaluation {
        let settings = try Settings(settings, of: [thresholds, probabilities], owner: "scores", place: "settings")
        let least = try settings.numbers(thresholds, count: width, of: "labels")
        let rows = truth.count / width
        var evidence = try begin(labelCount: width, rows: rows, bytes: 32 * width)
        try check(truth, "truth", below: 2)
        try check(scores, width: width, settings)
        evidence.scores.reserve(rows)
        for row in 0..<rows {
            let own = row * width..<(row + 1) * width
            evidence.scores.add(isTrue: truth[own], numbers: scores[own])
            for (label, place) in own.enumerated() {
                evidence.labelSets.add(label: label, isTrue: truth[place] == 1, isChosen: scores[place] >= least[label])
            }
            evidence.labelSets.endRow()
        }
        evidence.scores.weights = try checked(weights)
        evidence.labelSets.weights = evidence.scores.weights
        return Evaluation(evidence, LabelSets.measures + Scores.measures, rowCount: rows)
    }

    /// Of so many values each.
    package static func ofValues(
        truth: Numbers, values: Numbers, weights: Numbers?, width: Int
    ) throws(GraftError) -> Evaluation {
        let rows = truth.count / width
        var evidence = try begin(labelCount: width, rows: rows, bytes: 64 * width)
        try check(truth, "truth", width: width)
        try check(values, "values", width: width)
        evidence.values.reserve(rows)
        evidence.values.add(targets: truth, outputs: values)
        evidence.values.weights = try checked(weights)
        return Evaluation(evidence, Values.measures, rowCount: rows)
    }

    /// Of tags of words, row after row.
    ///
    /// - Parameter rowEnds: Where each row ends, ascending to the count of tags.
    package static func ofTags(
        truth: Labels, chosen: Labels, rowEnds: [Int], labels: [String]
    ) throws(GraftError) -> Evaluation {
        var evidence = try begin(labels: labels, rows: truth.count, bytes: 32)
        guard TagScheme(labels: labels) != nil else {
            throw GraftError(
                .invalidArgument,
                "labels: expected tags of entities, \"O\" or B, I, E or S before a type, as in \"B-PER\"")
        }
        try check(truth, "truth", below: labels.count)
        try check(chosen, "chosen", below: labels.count)
        var item = 0
        for end in rowEnds {
            while item < end {
                evidence.choices.add(truth: truth[item], choice: chosen[item])
                item += 1
            }
            evidence.choices.endRow()
        }
        return Evaluation(
            evidence, Choices.entityMeasures + Choices.measures, rowCount: rowEnds.count, tokenCount: truth.count)
    }

    /// Of texts that answer questions.
    ///
    /// - Parameters:
    ///   - accepted: Of each question.
    ///   - noAnswerScores: Of each prediction; empty where there are none.
    package static func ofAnswers(
        _ predictions: [String], accepted: [ArraySlice<String>], noAnswerScores: Numbers?, script: String
    ) throws(GraftError) -> Evaluation {
        guard let known = Answers.Script(rawValue: script) else {
            throw GraftError(
                .notFound,
                "script \"\(script)\"; this build has \(Answers.Script.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        var evidence = try begin(rows: predictions.count, bytes: 64)
        if let noAnswerScores { try check(noAnswerScores, "no_answer_scores", width: 1) }
        evidence.rows = try Answers.measured(predictions, accepted: accepted, known)
        evidence.rows.noAnswer = NoAnswer(
            scores: noAnswerScores.map(Array.init) ?? [], hasAnswer: accepted.map { !$0.isEmpty })
        return Evaluation(
            evidence, Answers.measures + (noAnswerScores == nil ? [] : Answers.thresholdMeasures),
            rowCount: predictions.count)
    }

    /// Of texts that a model wrote.
    ///
    /// - Parameter references: Of each text what it should be, or several: the best counts.
    package static func ofTexts(
        _ written: [String], references: [ArraySlice<String>], _ settings: JSONObject
    ) throws(GraftError) -> Evaluation {
        let settings = try Settings(settings, of: [tokenize], owner: "texts", place: "settings")
        let tokens = WrittenTokens(rawValue: settings.choice(tokenize)) ?? .western
        var evidence = try begin(rows: written.count, bytes: 256)
        for (row, (text, known)) in zip(written, references).enumerated() {
            guard !known.isEmpty else {
                throw GraftError(.invalidArgument, "references of row \(row): expected a text or more, found none")
            }
            evidence.rows.add(try evidence.written.add(text, known, tokens))
        }
        return Evaluation(evidence, WrittenTexts.measures, rowCount: written.count)
    }

    /// Of candidates that were put in order by scores, query after query.
    ///
    /// - Parameter queryEnds: Where each query's candidates end, ascending to the count of them.
    package static func ofRankings(
        relevance: Numbers, scores: Numbers, queryEnds: [Int], weights: Numbers?, _ settings: JSONObject
    ) throws(GraftError) -> Evaluation {
        let settings = try Settings(settings, of: [cutoff], owner: "rankings", place: "settings")
        var evidence = try begin(rows: scores.count, bytes: 64)
        try check(relevance, "relevance", width: 1)
        try check(scores, "scores", width: 1)
        for (place, number) in relevance.enumerated() where number < 0 {
            throw GraftError(.invalidArgument, "relevance[\(place)] is \(number); expected 0 or more")
        }
        var first = 0
        for (query, end) in queryEnds.enumerated() {
            guard end > first else {
                throw GraftError(.invalidArgument, "query \(query) has no candidates; expected at least one")
            }
            evidence.rows.add(
                Rankings.measured(
                    UnsafeBufferPointer(rebasing: relevance[first..<end]),
                    UnsafeBufferPointer(rebasing: scores[first..<end]), k: settings.count(cutoff)))
            first = end
        }
        evidence.rows.weights = try checked(weights)
        return Evaluation(evidence, Rankings.measures, rowCount: queryEnds.count)
    }

    // ---- What callers give ----

    private static func begin(
        labelCount: Int = 1, labels: [String] = [], rows: Int, bytes: Int
    ) throws(GraftError) -> Evidence {
        guard rows > 0 else {
            throw GraftError(.invalidArgument, "there is nothing to measure: expected a row at least")
        }
        // Two of them are compared in one order of the rows of both.
        let most = Int(Int32.max) / 2
        guard rows <= most else {
            throw GraftError(.unsupported, "an evaluation has at most \(most) rows, found \(rows)")
        }
        let labelCount = labels.isEmpty ? labelCount : labels.count
        try Memory.require(2 * bytes * rows + 128 * labelCount, to: "measuring \(rows) rows")
        return labels.isEmpty ? Evidence(labelCount: labelCount) : Evidence(labels: labels)
    }

    private static func check(_ labels: Labels, _ name: String, below count: Int) throws(GraftError) {
        for (place, label) in labels.enumerated() where label < 0 || Int(label) >= count {
            throw GraftError(.invalidArgument, "\(name)[\(place)] is \(label); expected 0 to \(count - 1)")
        }
    }

    private static func check(_ numbers: Numbers, _ name: String, width: Int) throws(GraftError) {
        for (place, number) in numbers.enumerated() where !number.isFinite {
            let row = width == 1 ? "\(name)[\(place)]" : "\(name) of row \(place / width), number \(place % width),"
            throw GraftError(.invalidArgument, "\(row) is \(number); expected a finite number")
        }
    }

    private static func check(_ scores: Numbers, width: Int, _ settings: Settings) throws(GraftError) {
        try check(scores, "scores", width: width)
        guard settings.flag(probabilities) else { return }
        for (place, score) in scores.enumerated() where score < 0 || score > 1 {
            throw GraftError(
                .invalidArgument,
                "scores of row \(place / width), number \(place % width), is \(score); expected a probability, 0 to 1, or "
                    + "the setting \"probabilities\" false")
        }
    }

    private static func checked(_ weights: Numbers?) throws(GraftError) -> Weights {
        guard let weights else { return Weights() }
        for (place, weight) in weights.enumerated() where !(weight >= 0 && weight.isFinite) {
            throw GraftError(.invalidArgument, "weights[\(place)] is \(weight); expected a finite number, 0 or more")
        }
        return Weights(values: Array(weights))
    }
}
