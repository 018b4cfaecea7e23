import GraftAdapters
import GraftFormats
import GraftLayers
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// A rule pulls all numbers towards the mean of where they were after each update, and doubles a
/// number of its own.
private struct MadeUpRule: TrainingRule {
    let count: Int
    let strength: Float

    var state: [StateArray] {
        [StateArray("mean", count: count), StateArray("updates", count: 1), StateArray("power", count: 1, initial: 1)]
    }

    func penalize(_ update: RuleUpdate) -> Double {
        var penalty = 0.0
        for index in 0..<count {
            let distance = update.values[index] - update.state[0][index]
            penalty += Double(strength / 2 * distance * distance)
            update.gradients[index] += strength * distance / Float(update.scale)
        }
        return penalty
    }

    func follow(_ update: RuleUpdate) {
        update.state[1][0] += 1
        update.state[2][0] *= 2
        precondition(update.number == Int(update.state[1][0]))
        for index in 0..<count {
            update.state[0][index] += (update.values[index] - update.state[0][index]) / Float(update.number)
        }
        // A number that the optimizer would move is held.
        update.values[0] = 0.5
    }
}

/// A method's rule around the updates, whatever it does.
@Suite struct TrainingRuleTests {
    private let fixture: TrainingFixture

    init() throws { fixture = try TrainingFixture() }

    private func trainer(
        _ strength: Float, seed: UInt64 = 3, _ change: (inout TrainerOptions) -> Void = { _ in }
    ) throws -> Trainer {
        let adapter = try fixture.adapter(seed: seed)
        return try Trainer(
            adapter: adapter, options: TrainingFixture.options(change),
            rule: MadeUpRule(count: adapter.content.plan.trainedCount, strength: strength))
    }

    private func state(_ trainer: Trainer, _ name: String) -> [Float] {
        guard let kept = trainer.rule?.kept, let start = kept[name] else { return [] }
        let count = kept.arrays.first { $0.name == name }?.count ?? 0
        return Array(UnsafeBufferPointer(start: start, count: count))
    }

    @Test("The hook runs after each update and nothing else, and the penalty joins the loss and the gradients")
    func hooks() throws {
        let trainer = try trainer(0.1) { $0.batchesPerStep = 2 }
        var batch = RowBatch()
        for row in 0..<8 { batch.append(row: row, of: fixture.dataset) }
        for call in 1...6 {
            let metrics = try trainer.step(batch)
            #expect(state(trainer, "updates") == [Float(call / 2)])
            #expect(state(trainer, "power") == [Float(1 << (call / 2))])
            if call % 2 == 0 { #expect(trainer.values[0] == 0.5 && metrics.loss.isFinite) }
        }
        let loss = try trainer.evaluate(batch).value("loss")
        #expect(state(trainer, "updates") == [3], "an evaluation is no update")
        #expect(loss.isFinite)
    }

    @Test("A penalty's gradient is as that of the loss, however the step is cut")
    func penalty() throws {
        let plain = try TrainingFixture(rows: 24, changing: Goldens.withoutDropout)
        func gradientAfterStep(_ cuts: [Range<Int>], _ strength: Float) throws -> (Metrics, [Float]) {
            let adapter = try plain.adapter(dropout: 0)
            let trainer = try Trainer(
                adapter: adapter,
                options: TrainingFixture.options {
                    $0.batchesPerStep = cuts.count
                    $0.optimizer = NamedChoice("sgd", ["momentum": 0])
                    ($0.learningRate, $0.schedule) = (1, TrainingFixture.constant)
                    $0.maximumGradientNorm = 0
                }, rule: MadeUpRule(count: adapter.content.plan.trainedCount, strength: strength))
            let before = trainer.values
            var metrics = Metrics()
            for cut in cuts {
                var batch = RowBatch()
                for row in cut { batch.append(row: row, of: plain.dataset) }
                metrics = try trainer.step(batch)
            }
            return (metrics, zip(before, trainer.values).map { $0 - $1 })
        }
        let (without, with) = (try gradientAfterStep([0..<8], 0), try gradientAfterStep([0..<8], 0.25))
        let start = try Trainer(adapter: try plain.adapter(dropout: 0), options: TrainingFixture.options()).values
        // Where the rule's own number is not held, a penalty towards zero adds a quarter of each
        // number.
        for index in 1..<start.count {
            #expect(abs(with.1[index] - without.1[index] - 0.25 * start[index]) < 1e-5)
        }
        let penalty = start.reduce(0.0) { $0 + 0.125 * Double($1) * Double($1) }
        #expect(abs(with.0.loss - without.0.loss - penalty) < 1e-5 * max(1, penalty))
        let cut = try gradientAfterStep([0..<1, 1..<5, 5..<8], 0.25)
        #expect(Goldens.difference(cut.1, with.1) < 1e-5)
        #expect(abs(cut.0.loss - with.0.loss) < 1e-5)
    }

    @Test("A rule's state is in checkpoints: stopped after any step and resumed, a run has the same bits")
    func resumes() throws {
        let whole = try trainer(0.05)
        _ = try whole.fit(fixture.dataset, evaluation: fixture.evaluation) { _ in true }
        for stop in [1, 2, 5, 9, 13] {
            let path = try Goldens.temporaryFolder() + "/checkpoint"
            let first = try trainer(0.05) { ($0.checkpointPath, $0.checkpointSteps) = (path, 1) }
            #expect(throws: GraftError.self) {
                try first.fit(fixture.dataset, evaluation: fixture.evaluation) { $0.step < stop }
            }
            let seed: UInt64 = try Checkpoint.find(at: path) ? 99 : 3
            let second = try trainer(0.05, seed: seed) { ($0.checkpointPath, $0.checkpointSteps) = (path, 1) }
            _ = try second.fit(fixture.dataset, evaluation: fixture.evaluation) { _ in true }
            #expect(bits(second.values) == bits(whole.values), "stopped at step \(stop)")
            for name in ["mean", "updates", "power"] {
                #expect(bits(state(second, name)) == bits(state(whole, name)), "\(name), stopped at step \(stop)")
            }
        }
        // A finished run that begins anew begins with the rule's first values.
        _ = try? whole.fit(fixture.dataset, evaluation: fixture.evaluation) { _ in false }
        #expect(state(whole, "power") == [2])
    }

    @Test("A checkpoint without the rule's state is refused by a trainer that has one, and nothing changes")
    func missingState() throws {
        let path = try Goldens.temporaryFolder() + "/checkpoint"
        try Trainer(adapter: try fixture.adapter(), options: TrainingFixture.options()).save(to: path)
        let trainer = try trainer(0.05, seed: 99)
        let before = bits(trainer.values)
        let error = #expect(throws: GraftError.self) { try trainer.resume(from: path) }
        #expect(error?.message.contains("tensor \"rule.mean\"") == true, "\(error?.message ?? "")")
        #expect(bits(trainer.values) == before)
    }
}
