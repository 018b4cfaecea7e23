import GraftLayers
import GraftTensor
import Testing

@testable import GraftTraining

/// Stopping a training leaves the adapter at its latest step.
@Suite struct CancellationTests {
    @Test("A callback that says stop ends fit at once, with the weights of that step")
    func byCallback() throws {
        let fixture = try TrainingFixture()
        let trainer = try Trainer(adapter: try fixture.adapter(), options: TrainingFixture.options())
        var reports = 0
        var values: [Float] = []
        let error = #expect(throws: GraftError.self) {
            try trainer.fit(fixture.dataset, evaluation: fixture.evaluation) { _ in
                reports += 1
                values = trainer.values
                return reports < 5
            }
        }
        #expect(error?.code == .cancelled)
        #expect(reports == 5)
        #expect(trainer.progress.step == 5)
        #expect(bits(trainer.values) == bits(values))
    }

    @Test("A token stops fit, a step and an evaluation, and the adapter keeps its values")
    func byToken() throws {
        let fixture = try TrainingFixture()
        let token = CancelToken()
        let options = TrainingFixture.options { $0.cancelToken = token }
        let trainer = try Trainer(adapter: try fixture.adapter(), options: options)
        var values: [Float] = []
        let error = #expect(throws: GraftError.self) {
            try trainer.fit(fixture.dataset, evaluation: nil) { metrics in
                if metrics.step == 3 {
                    token.cancel()
                    values = trainer.values
                }
                return true
            }
        }
        #expect(error?.code == .cancelled)
        #expect(trainer.progress.step == 3)
        for body in [
            { _ = try trainer.step(fixture.dataset) }, { _ = try trainer.evaluate(fixture.dataset) },
        ] as [() throws -> Void] {
            let error = #expect(throws: GraftError.self) { try body() }
            #expect(error?.code == .cancelled)
        }
        #expect(bits(trainer.values) == bits(values))
        #expect(trainer.gradients.allSatisfy { $0 == 0 })
    }

    @Test("The adapter can be used again once its trainer is gone, and has one trainer at a time")
    func oneTrainer() throws {
        let fixture = try TrainingFixture()
        let adapter = try fixture.adapter()
        do {
            let trainer = try Trainer(adapter: adapter, options: TrainingFixture.options())
            let error = #expect(throws: GraftError.self) {
                try Trainer(adapter: adapter, options: TrainingFixture.options())
            }
            #expect(error?.code == .invalidArgument)
            withExtendedLifetime(trainer) {}
        }
        _ = try Trainer(adapter: adapter, options: TrainingFixture.options())
    }
}
