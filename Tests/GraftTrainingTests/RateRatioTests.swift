import GraftAdapters
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftFormats
@testable import GraftTraining

/// Rates of some parameters as ratios to that of all others.
@Suite struct RateRatioTests {
    /// What an optimizer makes of the adapter's numbers in ten steps.
    private func stepped(
        _ optimizer: String, _ ratios: KeyValuePairs<String, JSON>, rate: Double, _ content: AdapterContent
    ) throws -> [UInt32] {
        let (member, settings) = try Optimizers.list.find(NamedChoice(optimizer, ratios))
        let count = content.plan.trainedCount
        let state = try OptimizerState(
            member.init(settings), count: count, ratios: RateRatios(settings, of: content.plan))
        let team = try Team(threadCount: 1)
        var values = Array(UnsafeBufferPointer(start: content.values, count: count))
        var random = RandomNumbers(seed: 5, stream: "gradients")
        for step in 1...10 {
            for index in 0..<count { state.gradients[index] = random.normal() }
            state.update(&values, scale: 0.5, learningRate: rate, number: step, team)
        }
        return bits(values)
    }

    @Test(
        "Each parameter is updated as by an optimizer that has its rate for all, to the bit",
        arguments: Optimizers.list.names)
    func parts(optimizer: String) throws {
        let content = try TrainingFixture(rows: 3).adapter(hasDenseLayer: true).content
        // Powers of two, so that a ratio times a rate is not rounded.
        let rate = 0x1p-9
        let both = try stepped(optimizer, ["head_lr_ratio": 16, "loraplus_lr_ratio": 4], rate: rate, content)
        let alone = try [1, 4, 16, 64].map { try stepped(optimizer, [:], rate: rate * $0, content) }
        var seen: [Int: Int] = [:]
        for tensor in content.plan.tensors {
            let isHead = tensor.name.contains("classifier")
            let isFaster = tensor.name.contains("lora_B") || tensor.shape.count == 1
            let expected = (isHead ? 2 : 0) + (isFaster ? 1 : 0)
            seen[expected, default: 0] += 1
            let range = tensor.parameter.offset..<tensor.parameter.offset + tensor.parameter.count
            let equal = alone.indices.filter { both[range] == alone[$0][range] }
            #expect(equal == [expected], "\(tensor.name)")
        }
        // The head's weight and bias; the pooler's, which is the model's, beside A and B of each
        // module.
        #expect(seen[2] == 1 && seen[3] == 1)
        #expect(seen[0] == seen[1] && seen[0, default: 0] > 4)
    }

    @Test("With the ratio 0 a head stays what it is, and everything else learns")
    func frozenHead() throws {
        let fixture = try TrainingFixture()
        let adapter = try fixture.adapter()
        let trainer = try Trainer(
            adapter: adapter,
            options: TrainingFixture.options { $0.optimizer = NamedChoice("adamw", ["head_lr_ratio": 0]) })
        let before = bits(trainer.values)
        _ = try trainer.fit(fixture.dataset, evaluation: nil) { _ in true }
        let after = bits(trainer.values)
        for tensor in adapter.content.plan.tensors {
            let range = tensor.parameter.offset..<tensor.parameter.offset + tensor.parameter.count
            #expect((before[range] == after[range]) == tensor.name.contains("classifier"), "\(tensor.name)")
        }
    }

    @Test("A ratio of parameters that the adapter does not have is refused")
    func refused() throws {
        let fixture = try TrainingFixture(rows: 3)
        func refusal(_ adapter: Adapter, _ settings: KeyValuePairs<String, JSON>) -> String? {
            let error = #expect(throws: GraftError.self) {
                try Trainer(
                    adapter: adapter, options: TrainingFixture.options { $0.optimizer = NamedChoice("sgd", settings) })
            }
            #expect(error?.code == .invalidArgument)
            return error?.message
        }
        let bottleneck = try fixture.bottleneck(dropout: 0, settings: "")
        #expect(
            refusal(bottleneck, ["loraplus_lr_ratio": 16])
                == "optimizer_settings: loraplus_lr_ratio 16.0, and the adapter has no lora_B: expected 1")
        let vectors = try fixture.adapter()
        try vectors.set(.sentenceEmbedding)
        #expect(
            refusal(vectors, ["head_lr_ratio": 0.5])
                == "optimizer_settings: head_lr_ratio 0.5, and the adapter has no head: expected 1")
        // What was refused left the adapters as they were: they take a trainer.
        for adapter in [bottleneck, vectors] {
            _ = try Trainer(
                adapter: adapter,
                options: TrainingFixture.options {
                    $0.optimizer = NamedChoice("sgd", ["head_lr_ratio": 1, "loraplus_lr_ratio": 1])
                })
        }
    }
}
