import GraftAdapters
import GraftMatrix
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// A prefix that is made of smaller numbers while it learns, which its file does not have.
@Suite struct ProjectedPrefixTests {
    private func adapter(_ fixture: TrainingFixture) throws -> Adapter {
        let adapter = try Adapter(
            model: fixture.model, method: "prefix_tuning",
            config: "{\"num_virtual_tokens\": 3, \"prefix_projection\": true, \"encoder_hidden_size\": 6}", seed: 3)
        try adapter.set(
            .sequenceClassification, HeadSettings(labels: ["a", "b", "c"], dropout: nil, trainsDense: false))
        return adapter
    }

    @Test("A checkpoint has what the prefix is made of: training goes on with the same bits")
    func resumes() throws {
        let fixture = try TrainingFixture(rows: 24)
        let folder = try Goldens.temporaryFolder() + "/checkpoint"
        let first = try Trainer(adapter: try adapter(fixture), options: TrainingFixture.options())
        for _ in 0..<3 { _ = try first.step(fixture.dataset) }
        try first.save(to: folder)
        let second = try Trainer(adapter: try adapter(fixture), options: TrainingFixture.options())
        try second.resume(from: folder)
        for trainer in [first, second] { for _ in 0..<3 { _ = try trainer.step(fixture.dataset) } }
        #expect(bits(second.values) == bits(first.values))
    }

    @Test("Its gradients are the central differences of the loss")
    func gradients() throws {
        let fixture = try TrainingFixture(rows: 24, changing: Goldens.withoutDropout)
        let adapter = try adapter(fixture)
        let trainer = try Trainer(adapter: adapter, options: TrainingFixture.options())
        for numbers in try CentralDifferences(trainer, adapter: adapter, fixture.dataset, steps: [0.005, 0.001]).checked
        {
            let number = numbers[0]
            #expect(
                number.differences.contains { abs(Double(number.gradient) - $0) < 2e-4 + 4e-3 * abs($0) }, "\(number)")
            #expect(number.gradient != 0, "\(number.tensor) has no gradient")
        }
    }
}
