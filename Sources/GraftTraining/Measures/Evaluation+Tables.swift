import GraftTensor

/// More than a number: what an evaluation can tell in rows and columns.
package struct EvaluationTable: Sendable {
    package let columns: Int
    /// [rows, columns].
    package fileprivate(set) var numbers: [Double] = []

    package var rows: Int { numbers.count / columns }

    fileprivate mutating func add(_ counts: [LabelCount]) {
        for count in counts { numbers += [count.precision, count.recall, count.f1, count.truths] }
    }
}

extension Evaluation {
    package static let tableNames = [
        "labels", "confusion", "entities", "roc", "precision_recall", "thresholds", "rows",
    ]

    /// - Throws: `.notFound` for a name that is none, `.invalidArgument` for what this evaluation
    ///   cannot tell.
    package func table(_ name: String) throws(GraftError) -> EvaluationTable {
        guard Self.tableNames.contains(name) else {
            throw GraftError(
                .notFound, "table \"\(name)\"; this build has \(Self.tableNames.joined(separator: ", "))")
        }
        let most = name == "confusion" ? 8 * labelCount * labelCount : 128 * rowCount + 64 * labelCount
        try Memory.require(most, to: "table \"\(name)\"")
        guard let evidence, let table = Self.table(name, evidence) else {
            throw GraftError(
                .invalidArgument, "the evaluation has no table \"\(name)\": what it saw was of another kind")
        }
        return table
    }

    private static func table(_ name: String, _ evidence: Evidence) -> EvaluationTable? {
        let (choices, scores) = (evidence.choices, evidence.scores)
        switch name {
        case "labels":
            var table = EvaluationTable(columns: 4)
            guard !choices.isEmpty || evidence.labelSets.rowCount > 0 else { return nil }
            table.add(choices.isEmpty ? evidence.labelSets.counts(Repeats()) : choices.counts(Repeats()))
            return table
        case "confusion":
            guard !choices.isEmpty else { return nil }
            return EvaluationTable(columns: choices.labelCount, numbers: choices.weightedConfusion)
        case "entities":
            var table = EvaluationTable(columns: 4)
            let types = choices.entityTypes
            guard !types.isEmpty else { return nil }
            table.add(types)
            return table
        case "roc":
            guard scores.rowCount > 0, !scores.isMacro else { return nil }
            return roc(scores.points(scores.positiveColumn))
        case "precision_recall":
            guard scores.rowCount > 0, !scores.isMacro else { return nil }
            return precisionRecall(scores.points(scores.positiveColumn))
        case "thresholds":
            guard scores.rowCount > 0 else { return nil }
            let columns = scores.isMacro ? Array(0..<scores.width) : [scores.positiveColumn]
            var table = EvaluationTable(columns: 2)
            for column in columns {
                let best = scores.bestThreshold(column, Repeats())
                table.numbers += [best.threshold, best.f1]
            }
            return table
        default:
            let names = evidence.rows.names.sorted().filter { $0 != "is_empty" }
            guard !names.isEmpty else { return nil }
            let columns = names.compactMap { evidence.rows[$0] }
            var table = EvaluationTable(columns: names.count)
            for row in 0..<evidence.rows.rowCount {
                for values in columns { table.numbers.append(values[row]) }
            }
            return table
        }
    }

    /// False positive rate, true positive rate, threshold: from (0, 0) on, as scikit-learn's
    /// `roc_curve`, without points between two others on a straight line.
    private static func roc(_ points: [Scores.Point]) -> EvaluationTable {
        var table = EvaluationTable(columns: 3)
        guard let all = points.last else { return table }
        func add(_ point: Scores.Point) {
            table.numbers += [
                all.falsePositives == 0 ? .nan : point.falsePositives / all.falsePositives,
                all.truePositives == 0 ? .nan : point.truePositives / all.truePositives, point.threshold,
            ]
        }
        add(Scores.Point())
        for (place, point) in points.enumerated() {
            if place > 0, place < points.count - 1 {
                let (before, after) = (points[place - 1], points[place + 1])
                let bends = { (count: (Scores.Point) -> Double) in
                    (count(after) - count(point)) - (count(point) - count(before)) != 0
                }
                guard bends(\.falsePositives) || bends(\.truePositives) else { continue }
            }
            add(point)
        }
        return table
    }

    /// Precision, recall, threshold: as scikit-learn's `precision_recall_curve`, which ends with
    /// precision 1 at recall 0, of no threshold.
    private static func precisionRecall(_ points: [Scores.Point]) -> EvaluationTable {
        var table = EvaluationTable(columns: 3)
        let all = points.last?.truePositives ?? 0
        for point in points.reversed() {
            table.numbers += [
                point.truePositives / (point.truePositives + point.falsePositives),
                all == 0 ? 1 : point.truePositives / all, point.threshold,
            ]
        }
        table.numbers += [1, 0, .nan]
        return table
    }
}
