import GraftAdapters
import GraftFormats
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

    private func floats(_ json: JSON) -> [Float] {
        (json.arrayValue ?? []).compactMap { $0.doubleValue.map { Float($0) } }
    }

    @Test("Of one of several labels, as scikit-learn's", arguments: cases("classes"))
    func classes(json: JSON) throws {
        let (truth, chosen) = (
            Goldens.numbers(.array(try json.array("truth"))), Goldens.numbers(.array(try json.array("chosen")))
        )
        var evidence = Evidence(labels: (0..<(try json.int("labels"))).map { "label \($0)" })
        for (truth, choice) in zip(truth, chosen) { evidence.choices.add(truth: truth, choice: choice) }
        try compare(evidence, Choices.measures, json)
        #expect(Choices.entityMeasures[0].value(evidence).isNaN, "labels that are no tags")
    }

    @Test("Of labels that do not exclude each other, as scikit-learn's", arguments: cases("label_sets"))
    func labelSets(json: JSON) throws {
        var evidence = Evidence(labels: (0..<(try json.int("labels"))).map { "label \($0)" })
        for (truth, logits) in zip(try json.array("truth"), try json.array("logits")) {
            floats(truth).withUnsafeBufferPointer { truth in
                evidence.labelSets.add(targets: truth, logits: floats(logits))
            }
        }
        try compare(evidence, LabelSets.measures, json)
    }

    @Test("Of values, as scipy's", arguments: cases("values"))
    func values(json: JSON) throws {
        var evidence = Evidence(labels: (0..<(try json.int("labels"))).map { "value \($0)" })
        for (truth, outputs) in zip(try json.array("truth"), try json.array("outputs")) {
            floats(truth).withUnsafeBufferPointer { truth in
                floats(outputs).withUnsafeBufferPointer { evidence.values.add(targets: truth, outputs: $0) }
            }
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
        let all = [Measure.loss] + Choices.measures + Choices.entityMeasures + LabelSets.measures + Values.measures
        #expect(all.allSatisfy { $0.value(evidence).isNaN })
        #expect(Set(all.map(\.name)) == Set(Measures.names))
    }

    @Test("Values that are always the same have no correlation")
    func constant() {
        var evidence = Evidence(labels: ["value"])
        for value in [1, 2, 3] as [Float] {
            [value].withUnsafeBufferPointer { truth in
                [Float(5)].withUnsafeBufferPointer { evidence.values.add(targets: truth, outputs: $0) }
            }
        }
        #expect(Values.measures[1].value(evidence).isNaN && Values.measures[2].value(evidence).isNaN)
    }
}
