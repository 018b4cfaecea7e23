import GraftAdapters
import GraftFormats
import GraftLayers
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Runs the rows of each pass twice.
private struct Twice: StepPlan {
    static let name = "twice"
    static let settings: [Setting] = []
    let runsRowsAsTheyAre = true

    init(_ settings: Settings) {}
    init() {}

    func learn(_ rows: LearningPass, _ evidence: inout Evidence) throws(GraftError) {
        try rows.run(&evidence)
        try rows.restart()
        var again = Evidence()
        try rows.run(&again)
    }
}

/// What a step does with the rows of its passes.
@Suite struct StepPlanTests {
    @Test("A plan may run a pass again: gradients add up, and the loss is the one that it counts", arguments: [0, 20])
    func runsAgain(passTokens: Int) throws {
        let fixture = try TrainingFixture(rows: 24)
        func gradients(_ plan: (any StepPlan)?) throws -> (loss: Double, gradients: [Float]) {
            let options = TrainingFixture.options { $0.passTokenCount = passTokens }
            let trainer = try Trainer(adapter: try fixture.adapter(), options: options, rule: nil, plan: plan)
            return try trainer.gradients(of: fixture.dataset)
        }
        let (once, twice) = (try gradients(nil), try gradients(Twice()))
        // The dropout is the same, too. Sums of several passes are added in another order.
        #expect(Goldens.difference(twice.gradients, once.gradients.map { 2 * $0 }) < 1e-5)
        #expect(once.loss == twice.loss && once.gradients.contains { abs($0) > 1e-3 })
    }

    @Test("An evaluation knows nothing of the plan")
    func evaluation() throws {
        let fixture = try TrainingFixture(rows: 24)
        func loss(_ plan: (any StepPlan)?) throws -> Double {
            try Trainer(
                adapter: try fixture.adapter(), options: TrainingFixture.options(), rule: nil, plan: plan
            ).evaluate(fixture.dataset).value("loss")
        }
        #expect(try loss(Twice()) == loss(nil))
    }
}
