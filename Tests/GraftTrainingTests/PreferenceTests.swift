import GraftAdapters
import GraftFormats
import GraftLayers
import GraftMatrix
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Training on pairs of answers, beside what the goldens say of its losses.
@Suite struct PreferenceTests {
    private let model: Model
    private let batch: RowBatch

    init() throws {
        model = try Architectures.load(path: Goldens.path("llama-tiny/plain"), precision: .float32)
        batch = Self.pairs(5)
    }

    /// Prompts with two answers, of which the preferred one has the smaller tokens.
    private static func pairs(_ count: Int) -> RowBatch {
        var random = RandomNumbers(seed: 5, stream: "pairs")
        var (batch, labels) = (RowBatch(), [Int32]())
        for row in 0..<2 * count {
            let prompt = (0..<1 + row / 2 % 4).map { Int32(3 + $0) }
            let answer = (0..<1 + random.below(6)).map { _ in Int32((row % 2 == 0 ? 10 : 60) + random.below(50)) }
            batch.append(tokens: prompt + answer, types: nil as [Int32]?)
            labels += prompt.map { _ in -100 } + answer
        }
        batch.set(.tokenLabels, labels)
        batch.set(.groupPlaces, (0..<2 * count).map { Int32($0 % 2) })
        return batch
    }

    private func trainer(
        _ settings: KeyValuePairs<String, JSON> = [:], method: String = "lora",
        config: String = "{\"init_lora_weights\": false, \"target_modules\": \"all-linear\"}",
        _ change: (inout TrainerOptions) -> Void = { _ in }
    ) throws -> Trainer {
        let adapter = try Adapter(model: model, method: method, config: config, seed: 7)
        try adapter.set(.languageModel)
        return try Trainer(
            adapter: adapter,
            options: TrainingFixture.options {
                $0.loss = NamedChoice("dpo", settings)
                change(&$0)
            })
    }

    @Test("A fresh adapter is the reference: no rewards, and a loss of log 2")
    func fresh() throws {
        let found = try trainer(config: "{}").evaluate(batch)
        #expect(abs(found.value("loss") - 0.693_147_180_559_945) < 1e-6)
        for name in ["rewards_chosen", "rewards_rejected", "rewards_margins"] {
            #expect(abs(found.value(name)) < 1e-6, "\(name) \(found.value(name))")
        }
    }

    @Test("Training raises what is preferred above what is not, and measures agree with each other")
    func learns() throws {
        let trainer = try trainer(config: "{\"target_modules\": \"all-linear\"}") {
            ($0.epochCount, $0.rowsPerBatch, $0.learningRate) = (8, 4, 1e-2)
        }
        _ = try trainer.fit(batch, evaluation: batch) { _ in true }
        let found = try trainer.evaluate(batch)
        #expect(found.value("loss") < 0.5 && found.value("rewards_accuracies") == 1)
        let margin = found.value("rewards_chosen") - found.value("rewards_rejected")
        #expect(abs(found.value("rewards_margins") - margin) < 1e-9 && margin > 0)
    }

    @Test(
        "Gradients are the central differences of the loss, with dropout, also of a batch in several passes",
        arguments: [
            ("lora", "{\"target_modules\": \"all-linear\", \"init_lora_weights\": false, \"lora_dropout\": 0.2}"),
            ("lora", "{\"target_modules\": [\"lm_head\", \"embed_tokens\"], \"init_lora_weights\": false}"),
            ("prompt_tuning", "{\"num_virtual_tokens\": 3, \"prompt_tuning_init\": \"RANDOM\"}"),
        ], [0, 12])
    func gradients(adapter: (method: String, config: String), passTokens: Int) throws {
        let trainer = try trainer(["beta": 0.5], method: adapter.method, config: adapter.config) {
            $0.passTokenCount = passTokens
        }
        for numbers in try CentralDifferences(trainer, adapter: trainer.adapter, batch, steps: [0.005]).checked {
            let expected = numbers[0].differences[0]
            #expect(abs(Double(numbers[0].gradient) - expected) < 2e-4 + 4e-3 * abs(expected), "\(numbers[0])")
            #expect(abs(numbers[0].gradient) > 1e-4, "\(numbers[0].tensor) learns nothing")
        }
    }

    @Test("Threads change no bit, and passes keep the loss")
    func threadsAndPasses() throws {
        let results = try [1, 2, 3, 8].map { threads in
            let trainer = try trainer { $0.threadCount = threads }
            for _ in 0..<3 { _ = try trainer.step(batch) }
            return bits(trainer.values)
        }
        #expect(results.allSatisfy { $0 == results[0] })
        let whole = try trainer().gradients(of: batch)
        let parts = try trainer { $0.passTokenCount = 12 }.gradients(of: batch)
        #expect(abs(whole.loss - parts.loss) < 1e-9)
        #expect(Goldens.difference(whole.gradients, parts.gradients) < 1e-5)
    }

    @Test("A reference that a column tells is that of the base, bit by bit, and another one changes the loss")
    func givenReference() throws {
        let known = try trainer().withBase(batch)
        #expect(known.floats(.referenceLogProbabilities).count == batch.rowCount)
        #expect(known.floats(.referenceLogProbabilities).allSatisfy { $0 < 0 })
        func stepped(_ rows: RowBatch, _ settings: KeyValuePairs<String, JSON> = [:]) throws -> (Double, [UInt32]) {
            let trainer = try trainer(settings)
            let loss = try trainer.step(rows).loss
            return (loss, bits(trainer.values))
        }
        let (found, given) = (try stepped(batch), try stepped(known))
        #expect(found == given)
        var other = known
        other.set(Column(.referenceLogProbabilities, floats: (0..<batch.rowCount).map { -Float($0) }))
        #expect(try stepped(other).0 != found.0)
        // Without a reference nobody reads it.
        let free = try stepped(other, ["reference_free": true])
        #expect(free == (try stepped(batch, ["reference_free": true])) && free.0 != found.0)
    }

    @Test("A pair of which an answer has no tokens counts for nothing")
    func emptyAnswers() throws {
        var rows = batch
        for token in rows.range(ofRow: 3) { rows[.tokenLabels][token] = -100 }
        var others = RowBatch()
        for row in 0..<rows.rowCount where row / 2 != 1 { others.append(row: row, of: batch) }
        #expect(try trainer().evaluate(rows).value("loss") == trainer().evaluate(others).value("loss"))
        let (all, some) = (try trainer(), try trainer())
        _ = try all.fit(rows, evaluation: nil) { _ in true }
        _ = try some.fit(others, evaluation: nil) { _ in true }
        #expect(bits(all.values) == bits(some.values))
        for token in rows[.tokenLabels].indices { rows[.tokenLabels][token] = -100 }
        let error = #expect(throws: GraftError.self) { try trainer().fit(rows, evaluation: nil) { _ in true } }
        #expect(error?.message.contains("no pair has two answers with tokens") == true)
    }

    @Test("What it cannot learn from is refused by name and place")
    func refused() throws {
        func message(_ settings: KeyValuePairs<String, JSON> = [:], _ change: (inout RowBatch) -> Void) throws -> String
        {
            var rows = batch
            change(&rows)
            let error = #expect(throws: GraftError.self) { try trainer(settings).step(rows) }
            return error?.message ?? ""
        }
        #expect(try message { $0.set(.groupPlaces, []) }.contains("the rows have no group_places"))
        #expect(try message { $0[.tokenLabels] = [] }.contains("the rows have no token_labels"))
        #expect(try message { $0[.tokenLabels][4] = 900 }.contains("label 900"))
        #expect(
            try message { $0.set(.groupPlaces, (0..<10).map { Int32($0 % 5) }) }.contains(
                "the group of row 0 has 5 rows; loss dpo expects 2"))
        #expect(
            try message { $0.set(Column(.referenceLogProbabilities, floats: [.nan] + Array(repeating: 0, count: 9))) }
                .contains("row 0 has reference_log_probabilities nan"))
        func refusal(_ make: () throws -> Trainer) -> String {
            let error = #expect(throws: GraftError.self) { _ = try make() }
            return error?.message ?? ""
        }
        #expect(refusal { try trainer(["beta": 0]) }.contains("beta"))
        #expect(refusal { try trainer(["loss_type": "apo"]) }.contains("\"sigmoid\" or \"hinge\" or \"ipo\""))
        #expect(refusal { try trainer { $0.labelSmoothing = 0.1 } }.contains("label_smoothing is one of loss_settings"))
        #expect(
            refusal { try trainer { $0.loss = NamedChoice("cosent") } }.contains(
                "loss \"cosent\" is none of the task language_model"))
    }
}
