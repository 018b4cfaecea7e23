import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Layers that run once more in backward. That every method's gradients keep their bits, the
/// matrix says.
@Suite struct RecomputedLayersTests {
    static let models: [(folder: String, task: GraftAdapters.Task)] = [
        ("masked-language/bert-tiny", .maskedLanguageModel), ("llama-tiny/plain", .languageModel),
        ("gpt2-tiny/plain", .languageModel), ("seq2seq-tiny/bart", .sequenceToSequence),
        ("seq2seq-tiny/t5-gated", .sequenceToSequence),
    ]

    @Test("Training has the same bits with dropout everywhere, and takes less memory", arguments: models)
    func sameBits(model: (folder: String, task: GraftAdapters.Task)) throws {
        let rates = [
            "hidden_dropout_prob", "attention_probs_dropout_prob", "attention_dropout", "attn_pdrop", "resid_pdrop",
            "embd_pdrop", "dropout", "activation_dropout", "dropout_rate",
        ]
        let path = try Goldens.copyOfModel(
            model.folder, changing: Dictionary(uniqueKeysWithValues: rates.map { ($0, JSON.double(0.2)) }))
        let loaded = try Architectures.load(path: path, precision: .float32)
        var rows = TrainingFixture.rows(count: 160, seed: 1, longest: 50)
        if model.task == .sequenceToSequence { rows.set(targets: rows) } else { rows.set(.tokenLabels, rows.tokens) }
        let (kept, again) = (try run(loaded, model.task, rows, false), try run(loaded, model.task, rows, true))
        #expect(bits(kept.values) == bits(again.values))
        let bytes = [kept, again].map { $0.pass.kept.residentByteCount }
        #expect(bytes[1] < bytes[0] * 4 / 5, "\(bytes[1]) bytes instead of \(bytes[0])")
    }

    @Test(
        "Feed-forwards take a long pass in parts, whose gradients add up to those of many short passes",
        arguments: ["lora", "bottleneck", "ia3"])
    func parts(method: String) throws {
        let model = try Architectures.load(
            path: try Goldens.copyOfModel("bert-tiny/sequence-classification", changing: Goldens.withoutDropout),
            precision: .float32)
        let rows = TrainingFixture.rows(count: 160, seed: 1, longest: 50)
        func gradients(passTokenCount: Int) throws -> [Float] {
            let adapter = try Adapter(
                model: model, method: method,
                config: method == "lora"
                    ? "{\"bias\": \"all\", \"init_lora_weights\": false, \"target_modules\": \"all-linear\"}" : "{}",
                seed: 3)
            try adapter.set(
                .sequenceClassification, HeadSettings(labels: ["a", "b", "c"], dropout: 0, trainsDense: false))
            let trainer = try Trainer(
                adapter: adapter,
                options: TrainingFixture.options {
                    // One plain step moves each number by its gradient.
                    ($0.optimizer, $0.learningRate) = (NamedChoice("sgd", ["momentum": 0]), 1)
                    ($0.schedule, $0.maximumGradientNorm) = (TrainingFixture.constant, 0)
                    ($0.rowsPerBatch, $0.passTokenCount) = (160, passTokenCount)
                })
            let start = trainer.values
            _ = try trainer.step(rows)
            return zip(start, trainer.values).map { $0 - $1 }
        }
        let (whole, cut) = (try gradients(passTokenCount: 1 << 14), try gradients(passTokenCount: 100))
        #expect(whole.contains { abs($0) > 1e-2 })
        #expect(Goldens.difference(whole, cut) < 1e-4)
    }

    private func run(
        _ model: Model, _ task: GraftAdapters.Task, _ rows: RowBatch, _ recomputes: Bool
    ) throws -> Trainer {
        let adapter = try Adapter(
            model: model, method: "lora",
            config: "{\"lora_dropout\": 0.1, \"init_lora_weights\": false, \"target_modules\": \"all-linear\"}", seed: 3
        )
        try adapter.set(task)
        let trainer = try Trainer(
            adapter: adapter,
            options: TrainingFixture.options {
                ($0.recomputesLayers, $0.epochCount) = (recomputes, 1)
                // One pass, so large that pages are small beside it.
                ($0.rowsPerBatch, $0.passTokenCount) = (160, 1 << 14)
            })
        _ = try trainer.fit(rows, evaluation: nil) { _ in true }
        return trainer
    }
}
