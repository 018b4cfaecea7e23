import GraftAdapters
import GraftFormats
import GraftLayers
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Class weights, and what happens where the loss has no value.
@Suite struct LossTests {
    private let fixture: TrainingFixture

    init() throws { fixture = try TrainingFixture(rows: 24, changing: Goldens.withoutDropout) }

    private func trainer(_ change: (inout TrainerOptions) -> Void = { _ in }) throws -> Trainer {
        try Trainer(adapter: try fixture.adapter(dropout: 0), options: TrainingFixture.options(change))
    }

    private func subset(_ isIn: (Int) -> Bool) -> RowBatch {
        var batch = RowBatch()
        for row in 0..<fixture.dataset.rowCount where isIn(row) { batch.append(row: row, of: fixture.dataset) }
        return batch
    }

    @Test("A weighted loss is the weighted mean of the rows' losses, in training and in evaluation")
    func weightedMean() throws {
        let weights: [Float] = [0.5, 2, 3]
        let plain = try trainer()
        var sum = 0.0
        var total = 0.0
        for row in 0..<fixture.dataset.rowCount {
            let weight = Double(weights[Int(fixture.dataset[.labels][row])])
            sum += weight * (try plain.evaluate(subset { $0 == row }).value("loss"))
            total += weight
        }
        let weighted = try trainer { $0.classWeights = weights }
        let evaluated = try weighted.evaluate(fixture.dataset).value("loss")
        #expect(abs(evaluated - sum / total) < 1e-6, "\(evaluated), expected \(sum / total)")
        let stepped = try weighted.step(fixture.dataset).loss
        #expect(abs(stepped - sum / total) < 1e-6, "\(stepped), expected \(sum / total)")
    }

    @Test("Rows of a class of weight 0 teach nothing")
    func weightZero() throws {
        let weighted = try trainer { $0.classWeights = [1, 0, 1] }
        let without = try trainer()
        _ = try weighted.accumulate(fixture.dataset)
        _ = try without.accumulate(subset { fixture.dataset[.labels][$0] != 1 })
        #expect(weighted.gradients.contains { abs($0) > 1e-3 })
        #expect(Goldens.difference(weighted.gradients, without.gradients) < 1e-6)
    }

    @Test("Class weights that do not fit the head are refused")
    func badWeights() throws {
        for weights in [[1, 2], [1, 2, 3, 4], [1, -1, 1], [1, .nan, 1], [1, .infinity, 1]] as [[Float]] {
            let error = #expect(throws: GraftError.self) { try trainer { $0.classWeights = weights } }
            #expect(error?.message.contains("class_weights") ?? false)
        }
    }

    @Test(
        "A loss that is not a number is an error; the adapter, its moments and the step count stay",
        arguments: [
            Float.nan, .infinity, 1e38,
        ])
    func notANumber(poison: Float) throws {
        let trainer = try trainer { $0.batchesPerStep = 2 }
        for _ in 0..<4 { _ = try trainer.step(fixture.dataset) }
        _ = try trainer.step(fixture.dataset)
        let head = try #require(trainer.content.plan.head)
        let good = trainer.content.values[head.weight.offset]
        // One weight of the head spoils the logits of every row.
        trainer.content.values[head.weight.offset] = poison
        if poison == 1e38 { (trainer.content.values + head.weight.offset).update(repeating: poison, count: 32) }
        let before = bits(trainer.values)
        let moments = trainer.kept("first_moment")
        let error = #expect(throws: GraftError.self) {
            // Huge but finite logits may still have a loss; the products with them do not.
            for _ in 0..<3 { _ = try trainer.step(fixture.dataset) }
        }
        #expect(error?.code == .diverged)
        #expect(bits(trainer.values) == before)
        #expect(trainer.kept("first_moment") == moments)
        #expect(trainer.progress.step == 2)
        #expect(trainer.gradients.allSatisfy { $0 == 0 }, "gradients that waited are dropped")
        // What was spoiled was spoiled by the test; mended, training goes on.
        trainer.content.values[head.weight.offset] = good
        if poison == 1e38 { (trainer.content.values + head.weight.offset).update(repeating: 0, count: 32) }
        for _ in 0..<2 { #expect(try trainer.step(fixture.dataset).loss.isFinite) }
        #expect(trainer.progress.step == 3)
    }

    @Test(
        "An absurd learning rate ends in an error, never in numbers that are not any",
        arguments: [
            NamedChoice("sgd", ["l2": 0.5]), NamedChoice("adamw", ["weight_decay": 0.5]),
        ])
    func absurdRate(optimizer: NamedChoice) throws {
        let trainer = try trainer {
            $0.optimizer = optimizer
            $0.learningRate = 1e6
            $0.maximumGradientNorm = 0
        }
        var last: GraftError?
        for _ in 0..<100 where last == nil {
            let before = bits(trainer.values)
            do throws(GraftError) {
                _ = try trainer.step(fixture.dataset)
                #expect(trainer.values.allSatisfy { $0.isFinite })
            } catch {
                last = error
                #expect(bits(trainer.values) == before)
            }
        }
        #expect(last?.code == .diverged)
    }
}
