import GraftAdapters
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// What question answering learns from, and what an evaluation says of it.
@Suite struct SpanTests {
    private let model: Model

    init() throws {
        model = try Architectures.load(path: Goldens.path("question-answering/bert-tiny"), precision: .float32)
    }

    private func trainer(
        _ method: String = "lora", _ change: (inout TrainerOptions) -> Void = { _ in }
    ) throws -> Trainer {
        let adapter = try Adapter(model: model, method: method, config: nil, seed: 1)
        try adapter.set(
            .questionAnswering, HeadSettings(labels: answerOutputs, ownsLabels: false, dropout: nil, trainsDense: false)
        )
        return try Trainer(adapter: adapter, options: TrainingFixture.options(change))
    }

    private func rows(_ spans: [Int32], width: Int = 2, types: [Int32]? = nil) -> RowBatch {
        var rows = RowBatch()
        for row in 0..<spans.count / 2 { rows.append(tokens: [2, 3, Int32(4 + row), 5], types: types) }
        rows.set(Column(.answerSpans, integers: spans, width: width))
        return rows
    }

    @Test("A checkpoint's own head of answers starts an adapter's")
    func startsAtCheckpoint() throws {
        #expect(model.ownTask == .questionAnswering)
        let evaluated = try trainer().evaluate(rows([1, 2, 0, 0]))
        #expect(evaluated.value("loss") > 0 && evaluated.rowCount == 2)
        #expect((0...1).contains(evaluated.value("span_f1")))
    }

    @Test("PEFT's adapters have token types of 0, as its class passes none on; AdapterHub's have those of the rows")
    func types() throws {
        for (method, areRead) in [("lora", false), ("prefix_tuning", false), ("bottleneck", true)] {
            let losses = try [nil, [0, 0, 1, 1]].map { types in
                try trainer(method).evaluate(rows([1, 2, 0, 0], types: types)).value("loss")
            }
            #expect((losses[0] != losses[1]) == areRead, "\(method): \(losses)")
        }
    }

    @Test("Rows whose answer is not in them count for nothing")
    func outside() throws {
        let trainer = try trainer()
        let both = try trainer.evaluate(rows([1, 2, 4, 4])).value("loss")
        let one = try trainer.evaluate(rows([1, 2])).value("loss")
        #expect(abs(both - one) < 1e-9)
        #expect(throws: GraftError.self) { try trainer.evaluate(rows([-1, -1, 4, 9])) }
    }

    @Test("Answers that end before they start, and options of classifiers, are refused")
    func refused() throws {
        let backwards = #expect(throws: GraftError.self) { try trainer().step(rows([1, 2, 3, 1])) }
        #expect(backwards?.message.contains("row 1 has an answer from token 3 to token 1") == true)
        let narrow = #expect(throws: GraftError.self) { try trainer().step(rows([1, 2], width: 1)) }
        #expect(narrow?.code == .incompatible)
        let weighted = #expect(throws: GraftError.self) { try trainer { $0.classWeights = [1, 1] } }
        #expect(weighted?.message.contains("class_weights") == true)
    }

    @Test("The chosen span has the largest sum, and is measured by the tokens that it shares")
    func chosen() throws {
        let logits = try Memory(byteCount: 10 * 4)
        let numbers: [Float] = [0, 0, 2, 5, 1, 1, 3, 0, 0, 4]
        logits.floats().update(from: numbers, count: 10)
        #expect(Spans.best(Matrix(logits.floats(), rows: 5, columns: 2)) == 1...1)
        let measured = Spans.measured(1...3, truth: 2...5).map(\.value)
        #expect(measured == [0, 2.0 * 2 / 7])
    }
}
