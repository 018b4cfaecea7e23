import GraftAdapters
import GraftFormats
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Adversarial steps; `TrainingGoldenTests` has those of torch.
@Suite struct FGMTests {
    private func gradients(_ plan: NamedChoice, passTokens: Int = 0) throws -> (loss: Double, gradients: [Float]) {
        let fixture = try TrainingFixture(rows: 24)
        let options = TrainingFixture.options {
            $0.stepPlan = plan
            $0.passTokenCount = passTokens
        }
        return try Trainer(adapter: try fixture.adapter(), options: options).gradients(of: fixture.dataset)
    }

    @Test("Where nothing is moved, the gradients are twice those of a plain step")
    func still() throws {
        let (plain, still) = (try gradients(NamedChoice("plain")), try gradients(NamedChoice("fgm", ["epsilon": 0])))
        #expect(Goldens.difference(still.gradients, plain.gradients.map { 2 * $0 }) < 1e-6)
        #expect(still.loss == plain.loss)
    }

    @Test("Moved rows have other gradients, and the loss is that of the rows as they are")
    func moved() throws {
        let (plain, moved) = (try gradients(NamedChoice("plain")), try gradients(NamedChoice("fgm")))
        #expect(Goldens.difference(moved.gradients, plain.gradients.map { 2 * $0 }) > 1e-3)
        #expect(moved.loss == plain.loss)
    }

    @Test("The gradients are the same in one pass and in many")
    func passes() throws {
        let (one, many) = (try gradients(NamedChoice("fgm")), try gradients(NamedChoice("fgm"), passTokens: 20))
        #expect(Goldens.difference(one.gradients, many.gradients) < 1e-5)
    }

    @Test("An epsilon below zero is refused")
    func refused() throws {
        let error = #expect(throws: GraftError.self) { try gradients(NamedChoice("fgm", ["epsilon": -1])) }
        #expect(error?.code == .invalidArgument && error?.message.contains("epsilon") == true)
    }
}
