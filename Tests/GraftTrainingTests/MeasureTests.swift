import GraftAdapters
import GraftFormats
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Measures are those of scikit-learn, scipy and seqeval, to 1e-12.
@Suite struct MeasureTests {
    private static func cases(_ kind: String) -> [JSON] {
        (try? JSON(contentsOf: Goldens.path("measures/cases.json")).array(kind)) ?? []
    }

    private func compare(_ evidence: Evidence, _ measures: [Measure], _ json: JSON) throws {
        let expected = try json.object("measures")
        #expect(!expected.isEmpty)
        for (name, value) in expected {
            let measure = try #require(measures.first { $0.name == name }, "\(name)")
            let found = measure.value(evidence)
            #expect(abs(found - (value.doubleValue ?? .nan)) < 1e-12, "\(name): \(found), expected \(value)")
        }
    }

    private func doubles(_ json: JSON) -> [Double] { (json.arrayValue ?? []).compactMap(\.doubleValue) }

    @Test("Of one of several labels, as scikit-learn's", arguments: cases("classes"))
    func classes(json: JSON) throws {
        let (truth, chosen) = (
            Goldens.numbers(.array(try json.array("truth"))), Goldens.numbers(.array(try json.array("chosen")))
        )
        var evidence = Evidence(labels: (0..<(try json.int("labels"))).map { "label \($0)" })
        for (truth, choice) in zip(truth, chosen) { evidence.choices.add(truth: truth, choice: choice) }
        try compare(evidence, Choices.measures + Choices.binaryMeasures, json)
        #expect(Choices.entityMeasures[0].value(evidence).isNaN, "labels that are no tags")
    }

    @Test("Of scores of labels, as scikit-learn's", arguments: cases("scores"))
    func scores(json: JSON) throws {
        var evidence = Evidence(labelCount: try json.int("labels"))
        evidence.scores = Scores(width: try json.int("columns"))
        for (truth, scores) in zip(Goldens.numbers(.array(try json.array("truth"))), try json.array("scores")) {
            evidence.scores.add(truth: truth, numbers: doubles(scores))
        }
        evidence.scores.weights.values = doubles(.array(try json.array("weights")))
        let measures = Scores.measures + Scores.probabilityMeasures + Scores.binaryMeasures
        try compare(evidence, measures, json)
        evidence.scores.prepare()
        try compare(evidence, measures, json)
    }

    @Test(
        "Places of numbers in ascending order, equals in theirs, whichever bits tell the numbers apart",
        arguments: [10, 300, 5000])
    func order(count: Int) {
        var random = RandomNumbers(seed: 3, stream: "numbers")
        let kinds: [(String, (Int) -> Double)] = [
            ("of both signs", { _ in Double(random.normal()) }),
            ("that differ in their last bits alone", { _ in 1 + Double(random.below(1000)) * Double.ulpOfOne }),
            ("that fall by their last bits", { 1 - Double($0) * Double.ulpOfOne }),
            ("of few values", { _ in Double(random.below(3)) }),
            ("at the ends", { [0, -0.0, .leastNonzeroMagnitude, -.infinity, .infinity][$0 % 5] }),
        ]
        for (name, number) in kinds {
            let numbers = (0..<count).map(number)
            let expected = numbers.indices.sorted { (numbers[$0], $0) < (numbers[$1], $1) }
            #expect(ascendingOrder(count: count) { numbers[$0] }.map(Int.init) == expected, "numbers \(name)")
        }
    }

    @Test("Of answers, as the scripts of the data sets", arguments: cases("answers"))
    func answers(json: JSON) throws {
        let accepted = try json.array("accepted").map { ($0.arrayValue ?? []).compactMap(\.stringValue) }
        let scores = doubles(.array(try json.array("no_answer_scores")))
        let evaluation = try scores.withUnsafeBufferPointer { scores in
            try Evaluation.ofAnswers(
                try json.strings("predictions"), accepted: accepted.map { $0[...] },
                noAnswerScores: scores.isEmpty ? nil : scores,
                script: try json.string("script"))
        }
        try compare(evaluation, json)
    }

    @Test("Of rankings, as scikit-learn's ndcg_score", arguments: cases("rankings"))
    func rankings(json: JSON) throws {
        var settings = JSONObject()
        settings["k"] = .integer(try json.int("k"))
        var ends: [Int] = []
        var (relevance, scores) = ([Double](), [Double]())
        for (first, second) in zip(try json.array("relevance"), try json.array("scores")) {
            relevance += doubles(first)
            scores += doubles(second)
            ends.append(scores.count)
        }
        let evaluation = try relevance.withUnsafeBufferPointer { relevance in
            try scores.withUnsafeBufferPointer {
                try Evaluation.ofRankings(
                    relevance: relevance, scores: $0, queryEnds: ends, weights: nil, settings)
            }
        }
        try compare(evaluation, json)
    }

    private func compare(_ evaluation: Evaluation, _ json: JSON) throws {
        for (name, value) in try json.object("measures") {
            let (found, expected) = (evaluation.value(name), value.doubleValue ?? .nan)
            #expect(abs(found - expected) < 1e-12, "\(name): \(found), expected \(expected)")
        }
    }

    @Test("Of labels that do not exclude each other, as scikit-learn's", arguments: cases("label_sets"))
    func labelSets(json: JSON) throws {
        var evidence = Evidence(labels: (0..<(try json.int("labels"))).map { "label \($0)" })
        for (truth, logits) in zip(try json.array("truth"), try json.array("logits")) {
            for (label, (truth, logit)) in zip(doubles(truth), doubles(logits)).enumerated() {
                evidence.labelSets.add(label: label, isTrue: truth == 1, isChosen: logit > 0)
            }
            evidence.labelSets.endRow()
            evidence.scores.add(isTrue: doubles(truth).map { Int32($0) }, numbers: doubles(logits))
        }
        try compare(evidence, LabelSets.measures + Scores.measures, json)
    }

    @Test("Of values, as scipy's", arguments: cases("values"))
    func values(json: JSON) throws {
        var evidence = Evidence(labels: (0..<(try json.int("labels"))).map { "value \($0)" })
        for (truth, outputs) in zip(try json.array("truth"), try json.array("outputs")) {
            evidence.values.add(targets: doubles(truth), outputs: doubles(outputs))
        }
        try compare(evidence, Values.measures, json)
    }

    @Test("Of entities, as seqeval's, however ill the tags spell them", arguments: cases("entities"))
    func entities(json: JSON) throws {
        var evidence = Evidence(labels: try json.strings("labels"))
        for (truth, chosen) in zip(try json.array("truth"), try json.array("chosen")) {
            for (truth, choice) in zip(Goldens.numbers(truth), Goldens.numbers(chosen)) {
                evidence.choices.add(truth: truth, choice: choice)
            }
            evidence.choices.endRow()
        }
        try compare(evidence, Choices.entityMeasures, json)
    }

    @Test("Without evidence there is nothing to measure")
    func nothing() {
        let evidence = Evidence(labels: ["O", "B-A"])
        let all = [Measure.loss] + Measures.all.joined()
        #expect(all.allSatisfy { $0.value(evidence).isNaN })
        #expect(Set(all.map(\.name)) == Set(Measures.names))
    }

    @Test("Values that are always the same have no correlation")
    func constant() throws {
        var evidence = Evidence(labels: ["value"])
        for value in [1.1, 2, 3] { evidence.values.add(targets: [value], outputs: [0.1]) }
        for name in ["pearson", "spearman", "kendall"] {
            #expect(try #require(Values.measures.first { $0.name == name }).value(evidence).isNaN)
        }
    }

    @Test(
        "Rows that count twice are as rows that are there twice",
        arguments: ["accuracy", "roc_auc", "spearman", "kendall", "macro_f1"])
    func repeats(name: String) throws {
        let measure = try #require(Measures.all.joined().first { $0.name == name })
        var source = RandomNumbers(seed: 3, stream: "rows")
        let counts = (0..<40).map { _ in Int32(source.below(4)) }
        var (once, often) = (Evidence(labelCount: 2), Evidence(labelCount: 2))
        (once.values, often.values) = (Values(width: 1), Values(width: 1))
        for count in counts {
            let (truth, score) = (Int32(source.below(2)), Double(source.below(9)) / 8)
            func add(to evidence: inout Evidence) {
                evidence.choices.add(truth: truth, choice: score > 0.5 ? 1 : 0)
                evidence.scores.add(truth: truth, numbers: [1 - score, score])
                evidence.values.add(targets: [Double(truth) + score / 2], outputs: [score])
            }
            add(to: &once)
            for _ in 0..<count { add(to: &often) }
        }
        once.repeats.counts = counts
        #expect(abs(measure.value(once) - measure.value(often)) < 1e-12)
        once.prepare(for: measure)
        #expect(abs(measure.value(once) - measure.value(often)) < 1e-12)
    }

    @Test(
        "Quantiles of the normal distribution, as scipy's",
        arguments: [
            (0.5, 0.0), (0.025, -1.9599639845400545), (0.999, 3.090232306167813), (1e-10, -6.361340902404056),
        ])
    func normal(part: Double, expected: Double) {
        #expect(abs(NormalDistribution.quantile(part) - expected) < 1e-11)
        #expect(abs(NormalDistribution.below(expected) / part - 1) < 1e-12)
    }

    @Test("An interval and a comparison of given numbers are these", arguments: ["percentile", "bca"])
    func interval(method: String) throws {
        let (truth, better) = ([0, 1, 1, 0, 1, 0, 1, 1] as [Int32], [0, 1, 1, 0, 1, 0, 0, 1] as [Int32])
        let one = try evaluation(truth, better)
        let interval = try one.interval("accuracy", method: method, JSONObject())
        #expect(interval.value("value") == 0.875 && interval.value("resamples") == 9999)
        #expect(interval.value("low") < 0.875 && interval.value("high") >= 0.875)
        let other = try evaluation(truth, [1, 0, 0, 1, 1, 0, 0, 1])
        let same = try other.compared(with: other, "accuracy", test: "permutation", JSONObject())
        #expect(same.value("difference") == 0 && same.value("p_value") == 1)
        let exact = try one.compared(with: other, "accuracy", test: "mcnemar", JSONObject())
        #expect(exact.value("p_value") == 0.125 && exact.value("only_this") == 4 && exact.value("gain") == 0.5)
        #expect(throws: GraftError.self) {
            try one.compared(with: try evaluation(better, truth), "accuracy", test: "permutation", JSONObject())
        }
    }

    private func evaluation(_ truth: [Int32], _ chosen: [Int32]) throws -> Evaluation {
        try truth.withUnsafeBufferPointer { truth in
            try chosen.withUnsafeBufferPointer {
                try Evaluation.ofLabels(truth: truth, chosen: $0, weights: nil, labelCount: 2)
            }
        }
    }
}
