import GraftAdapters
import GraftFormats
import GraftLayers
import GraftMatrix
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Training a language model: what counts, and what a result does not depend on.
@Suite struct LanguageModelTests {
    private let model: Model
    private let batch: RowBatch

    init() throws {
        model = try Architectures.load(path: Goldens.path("llama-tiny/everything"), precision: .float32)
        batch = Self.rows(count: 9, seed: 4)
    }

    /// Rows of 1 to 12 tokens that are their own labels, a third of them not counting.
    private static func rows(count: Int, seed: UInt64) -> RowBatch {
        var random = RandomNumbers(seed: seed, stream: "rows")
        var batch = RowBatch()
        for _ in 0..<count {
            let tokens = (0..<1 + random.below(12)).map { _ in Int32(1 + random.below(109)) }
            batch.append(tokens: tokens, types: nil as [Int32]?)
            batch[.tokenLabels] += tokens.map { random.below(3) == 0 ? -100 : $0 }
        }
        return batch
    }

    private func trainer(
        _ settings: String = "\"target_modules\": \"all-linear\"", dropout: Double = 0,
        model other: (Model)? = nil,
        _ change: (inout TrainerOptions) -> Void = { _ in }
    ) throws -> Trainer {
        let adapter = try Adapter(
            model: other ?? model, method: "lora",
            config: "{\"task_type\": \"CAUSAL_LM\", \"init_lora_weights\": false, \"lora_dropout\": \(dropout), "
                + "\(settings)}", seed: 7)
        return try Trainer(adapter: adapter, options: TrainingFixture.options(change))
    }

    @Test("The loss is the mean over all tokens that count, of rows alone or together, in training and evaluation")
    func meanOverTokens() throws {
        let trainer = try trainer()
        var sum = 0.0
        var count = 0.0
        for row in 0..<batch.rowCount {
            var alone = RowBatch()
            alone.append(row: row, of: batch)
            let tokens = alone[.tokenLabels].dropFirst().count { $0 >= 0 }
            guard tokens > 0 else { continue }
            sum += try trainer.evaluate(alone).value("loss") * Double(tokens)
            count += Double(tokens)
        }
        let together = try trainer.evaluate(batch)
        #expect(abs(together.value("loss") - sum / count) < 1e-6, "\(together.value("loss")), expected \(sum / count)")
        #expect(together.value("accuracy") >= 0 && together.value("accuracy") <= 1 && together.value("macro_f1").isNaN)
        let trained = try trainer.accumulate(batch).loss
        #expect(abs(trained - sum / count) < 1e-6, "\(trained), expected \(sum / count)")
    }

    @Test("A label that does not count changes neither loss nor gradient, whatever the token")
    func masked() throws {
        let trainer = try trainer()
        let loss = try trainer.accumulate(batch).loss
        let gradients = trainer.gradients
        trainer.dropWaiting()
        trainer.progress.batch = 0
        var other = batch
        for row in 0..<batch.rowCount { other[.tokenLabels][Int(batch.starts[row])] = 3 }
        for token in other[.tokenLabels].indices where other[.tokenLabels][token] < 0 {
            other[.tokenLabels][token] = -1
        }
        #expect(try trainer.accumulate(other).loss == loss)
        #expect(bits(trainer.gradients) == bits(gradients))
    }

    @Test(
        "Gradients are the central differences of the loss",
        arguments: [
            "\"target_modules\": \"all-linear\"", "\"target_modules\": [\"lm_head\"]",
            "\"target_modules\": [\"embed_tokens\", \"lm_head\", \"k_proj\"]", "\"modules_to_save\": [\"lm_head\"]",
            "\"modules_to_save\": [\"layers.0.input_layernorm\", \"norm\"]",
            "\"target_modules\": [\"q_proj\"], \"bias\": \"all\", \"lora_bias\": true",
        ], [0.0, 0.2])
    func centralDifferences(settings: String, dropout: Double) throws {
        let folder = try Goldens.copyOfModel("llama-tiny/everything", changing: ["attention_dropout": .double(dropout)])
        let model = try Architectures.load(path: folder, precision: .float32)
        let trainer = try trainer(settings, dropout: dropout, model: model)
        for numbers in try CentralDifferences(trainer, adapter: trainer.adapter, batch, steps: [0.005]).checked {
            let expected = numbers[0].differences[0]
            #expect(abs(Double(numbers[0].gradient) - expected) < 2e-4 + 4e-3 * abs(expected), "\(numbers[0])")
            #expect(abs(numbers[0].gradient) > 1e-4, "\(numbers[0].tensor) learns nothing")
        }
    }

    @Test("Threads change no bit, and passes and dropout keep the loss", arguments: [0.0, 0.3])
    func threadsAndPasses(dropout: Double) throws {
        let settings = "\"target_modules\": [\"q_proj\", \"lm_head\", \"down_proj\"]"
        var results: [[UInt32]] = []
        for threads in [1, 2, 3, 8] {
            let trainer = try trainer(settings, dropout: dropout) { $0.threadCount = threads }
            for _ in 0..<3 { _ = try trainer.step(batch) }
            results.append(bits(trainer.values))
        }
        #expect(results.allSatisfy { $0 == results[0] })
        let whole = try trainer(settings, dropout: dropout).accumulate(batch).loss
        let parts = try trainer(settings, dropout: dropout) { $0.passTokenCount = 5 }
        let loss = try parts.accumulate(batch).loss
        #expect(abs(loss - whole) < 1e-6, "\(loss), in one pass \(whole)")
    }

    @Test("A vocabulary larger than a chunk gives the loss of the whole")
    func chunks() throws {
        // 300 predictions are five chunks of the least size; each row alone is a part of one.
        let head = try LanguageModelHead(model: model)
        let pass = try Pass(team: try Team(threadCount: 2))
        var row = RowBatch()
        row.append(tokens: (0..<60).map { Int32($0 + 1) }, types: nil as [Int32]?)
        try pass.begin(row, rows: 0..<1) { _ in nil }
        let hidden = try model.forward(pass)
        let expected = try SafetensorsFile(path: Goldens.path("llama-tiny/everything/expected.safetensors"))
        #expect(expected["logits"]?.shape == [107, model.shape.vocabularySize])
        var seen: [Int] = []
        let chosen: [Int32] = [0, 3, 4, 59]
        try chosen.withUnsafeBufferPointer { chosen in
            try head.eachChunk(of: chosen, batchFirst: 0, hidden.matrix, pass: pass) { chunk in
                seen += Array(chunk.range)
                #expect(chunk.logits.rows == chunk.range.count && chunk.logits.columns == model.shape.vocabularySize)
            }
        }
        #expect(seen == [0, 1, 2, 3])
    }

    @Test("Training lowers the loss of what it sees, and resumes with the same bits")
    func learnsAndResumes() throws {
        func options(_ options: inout TrainerOptions) {
            options.epochCount = 10
            options.rowsPerBatch = 3
        }
        let settings = "\"target_modules\": \"all-linear\""
        let whole = try trainer(settings, dropout: 0.1, options)
        let before = try whole.evaluate(batch).value("loss")
        _ = try whole.fit(batch, evaluation: nil) { _ in true }
        let after = try whole.evaluate(batch).value("loss")
        #expect(after < before * 0.9, "from \(before) to \(after)")

        let path = try Goldens.temporaryFolder() + "/checkpoint"
        func saving(_ changed: inout TrainerOptions) {
            options(&changed)
            changed.checkpointPath = path
            changed.checkpointSteps = 1
        }
        let stopped = try trainer(settings, dropout: 0.1, saving)
        #expect(throws: GraftError.self) { try stopped.fit(batch, evaluation: nil) { $0.step < 7 } }
        let resumed = try trainer(settings, dropout: 0.1, saving)
        _ = try resumed.fit(batch, evaluation: nil) { _ in true }
        #expect(bits(resumed.values) == bits(whole.values))
    }

    @Test("Labels that are missing or outside the vocabulary are refused")
    func badLabels() throws {
        let trainer = try trainer()
        func code(_ change: (inout RowBatch) -> Void) -> GraftError.Code? {
            var changed = batch
            change(&changed)
            let error = #expect(throws: GraftError.self) { try trainer.step(changed) }
            return error?.code
        }
        #expect(code { $0[.tokenLabels] = [] } == .incompatible)
        #expect(code { $0[.tokenLabels].removeLast() } == .incompatible)
        #expect(code { $0[.tokenLabels][0] = 110 } == .incompatible)
        #expect(throws: GraftError.self) { try self.trainer { $0.metric = "macro_f1" } }
        #expect(throws: GraftError.self) { try self.trainer { $0.classWeights = [1, 2] } }
    }

    @Test("A model without a language head, and a classification adapter on a decoder, say what they are")
    func tasks() throws {
        let bare = try Architectures.load(path: Goldens.path("llama-tiny/bare-linear"), precision: .float32)
        let error = #expect(throws: GraftError.self) {
            try Adapter(model: bare, method: "lora", config: "{\"task_type\": \"CAUSAL_LM\"}", seed: 1)
        }
        #expect(error?.code == .unsupported && error?.message.contains("not a language model") == true)
        let adapter = try Adapter(model: model, method: "lora", config: nil, seed: 1)
        #expect(adapter.content.task == .none)
        try adapter.set(.languageModel)
        #expect(adapter.content.task == .languageModel)
        #expect(adapter.content.plan.tensors.allSatisfy { $0.name.hasPrefix("base_model.model.model.layers.") })
        try adapter.set(.sequenceClassification, HeadSettings(labels: ["a", "b"], dropout: nil, trainsDense: false))
        #expect(adapter.content.task == .sequenceClassification)
        #expect(
            adapter.content.plan.tensors.filter { $0.name.contains("score") }.map(\.name) == [
                "base_model.model.score.weight"
            ])
    }
}
