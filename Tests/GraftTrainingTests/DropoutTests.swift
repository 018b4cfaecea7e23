import GraftFormats
import GraftLayers
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Dropout acts in training only, anew in each batch, and on average not at all.
@Suite struct DropoutTests {
    private func losses(_ trainer: Trainer, _ batch: RowBatch, count: Int) throws -> [Double] {
        try (0..<count).map { _ in
            let loss = try trainer.accumulate(batch).loss
            trainer.dropWaiting()
            return loss
        }
    }

    @Test("Each batch drops out other elements; the same batch number drops out the same")
    func keys() throws {
        let fixture = try TrainingFixture(rows: 8)
        let trainer = try Trainer(adapter: try fixture.adapter(), options: TrainingFixture.options())
        let first = try losses(trainer, fixture.dataset, count: 5)
        #expect(Set(first).count == 5)
        trainer.progress.batch = 0
        #expect(try losses(trainer, fixture.dataset, count: 5) == first)
    }

    @Test("Without dropout, training and evaluating see the same loss")
    func off() throws {
        let fixture = try TrainingFixture(rows: 8, changing: Goldens.withoutDropout)
        let trainer = try Trainer(adapter: try fixture.adapter(dropout: 0), options: TrainingFixture.options())
        let trained = try losses(trainer, fixture.dataset, count: 2)
        #expect(trained[0] == trained[1])
        #expect(abs(try trainer.evaluate(fixture.dataset).value("loss") - trained[0]) < 1e-6)
    }

    @Test("Evaluation drops nothing out")
    func evaluation() throws {
        let fixture = try TrainingFixture(rows: 8)
        let without = try TrainingFixture(rows: 8, changing: Goldens.withoutDropout)
        let first = try Trainer(adapter: try fixture.adapter(), options: TrainingFixture.options())
        let second = try Trainer(adapter: try without.adapter(dropout: 0), options: TrainingFixture.options())
        #expect(
            try first.evaluate(fixture.dataset).value("loss") == second.evaluate(fixture.dataset).value("loss"))
    }

    /// What a gradient is on average over many batches, against what it is without dropout, where
    /// it is linear in what is dropped out: the relative error, which falls as 1 / √batches when
    /// nothing but chance is in it.
    private func errorOfMean(
        _ part: (Trainer) throws -> Parameter, settings: String, changes: [String: JSON], dropout: Double,
        prepare: (Trainer) throws -> Void = { _ in }
    ) throws -> (mean: Double, one: Double) {
        func gradients(_ changes: [String: JSON], _ dropout: Double, count: Int) throws -> [[Double]] {
            let fixture = try TrainingFixture(rows: 8, changing: changes)
            let trainer = try Trainer(
                adapter: try fixture.adapter(dropout: dropout, settings: settings), options: TrainingFixture.options())
            try prepare(trainer)
            let parameter = try part(trainer)
            return try (0..<count).map { _ in
                _ = try trainer.accumulate(fixture.dataset)
                defer { trainer.dropWaiting() }
                return trainer.gradients[parameter.offset..<parameter.offset + parameter.count].map(Double.init)
            }
        }
        let count = 400
        let exact = try gradients(Goldens.withoutDropout, 0, count: 1)[0]
        let found = try gradients(changes, dropout, count: count)
        let mean = exact.indices.map { index in found.reduce(0) { $0 + $1[index] } / Double(count) }
        func error(_ numbers: [Double]) -> Double {
            let difference = zip(numbers, exact).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            return (difference / exact.reduce(0) { $0 + $1 * $1 }).squareRoot()
        }
        return (error(mean), error(found[0]))
    }

    @Test("Dropout before the head changes every gradient and no mean")
    func meanAtHead() throws {
        let (mean, one) = try errorOfMean(
            { try #require($0.content.plan.head).weight }, settings: "",
            changes: Goldens.withoutDropout.merging(["classifier_dropout": 0.3]) { $1 }, dropout: 1e-9
        ) { trainer in
            // With weights of 0 the logits do not depend on what is dropped out.
            let weight = try #require(trainer.content.plan.head).weight
            (trainer.content.values + weight.offset).update(repeating: 0, count: weight.count)
        }
        #expect(one > 0.2)
        #expect(mean < 0.08, "relative error \(mean)")
    }

    @Test("Dropout of LoRA changes every gradient and no mean")
    func meanOfLora() throws {
        // With B = 0 the logits do not depend on what is dropped out, and dB is linear in it.
        let (mean, one) = try errorOfMean(
            { trainer in
                try #require(
                    trainer.content.plan.tensors.first { $0.name.contains("layer.1.attention.self.value.lora_B") }
                )
                .parameter
            }, settings: ", \"init_lora_weights\": true", changes: Goldens.withoutDropout, dropout: 0.3)
        #expect(one > 0.2)
        #expect(mean < 0.08, "relative error \(mean)")
    }
}
