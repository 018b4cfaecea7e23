import Glibc
import GraftAdapters
import GraftFormats
import GraftInference
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Masked words: which are masked, what is learned of them, and what masks are filled with.
@Suite struct MaskingTests {
    private static let mask: Int32 = 4
    private static let usual = #"{"mask_token": 4}"#

    private let model: Model

    init() throws {
        model = try Architectures.load(path: Goldens.path("masked-language/bert-tiny"), precision: .float32)
    }

    /// Rows of words of one to three tokens, between two tokens that are of none.
    private static func rows(count: Int) -> RowBatch {
        var random = RandomNumbers(seed: 5, stream: "rows")
        var (batch, words) = (RowBatch(), [Int32]())
        for _ in 0..<count {
            var tokens: [Int32] = [2]
            words.append(-1)
            for word in 0..<3 + random.below(4) {
                for _ in 0..<1 + random.below(3) {
                    tokens.append(Int32(10 + word))
                    words.append(Int32(word))
                }
            }
            batch.append(tokens: tokens + [3], types: nil as [Int32]?)
            words.append(-1)
        }
        batch.set(.tokenWords, words)
        return batch
    }

    private func trainer(_ change: (inout TrainerOptions) -> Void = { _ in }) throws -> Trainer {
        let adapter = try Adapter(
            model: model, method: "lora", config: #"{"r": 8, "lora_alpha": 32, "target_modules": "all-linear"}"#,
            seed: 7)
        try adapter.set(.maskedLanguageModel)
        let masking = try TokenMasking(json: Self.usual)
        return try Trainer(
            adapter: adapter,
            options: TrainingFixture.options {
                $0.masking = masking
                change(&$0)
            })
    }

    private func masked(_ rows: RowBatch, _ settings: String, key: UInt64 = 3) throws -> RowBatch {
        var masked = RowBatch()
        try TokenMasking(json: settings).mask(rows, into: &masked, key: key, vocabularySize: 120)
        return masked
    }

    @Test("So many words are chosen, most become the mask, some another token, and only those have labels")
    func shares() throws {
        let rows = Self.rows(count: 2000)
        let masked = try masked(rows, Self.usual)
        let words = rows[.tokenWords]
        var (maskable, chosen, hidden, changed) = (0.0, 0.0, 0.0, 0.0)
        for place in rows.tokens.indices {
            let label = masked[.tokenLabels][place]
            if words[place] < 0 || label < 0 {
                #expect(label == -100 && masked.tokens[place] == rows.tokens[place])
            } else {
                #expect(label == rows.tokens[place])
            }
            guard words[place] >= 0 else { continue }
            maskable += 1
            guard label >= 0 else { continue }
            chosen += 1
            if masked.tokens[place] == Self.mask {
                hidden += 1
            } else if masked.tokens[place] != label {
                changed += 1
            }
        }
        #expect(abs(chosen / maskable - 0.15) < 0.01, "\(chosen / maskable)")
        #expect(abs(hidden / chosen - 0.8) < 0.03 && abs(changed / chosen - 0.1) < 0.03)
    }

    @Test("Whole words are chosen together, and a row by its place and the key alone")
    func wholeWords() throws {
        let rows = Self.rows(count: 200)
        let settings = #"{"mask_token": 4, "whole_word_mask": true, "mask_replace_prob": 1, "random_replace_prob": 0}"#
        let masked = try masked(rows, settings)
        let (words, labels) = (rows[.tokenWords], masked[.tokenLabels])
        for place in rows.tokens.indices.dropFirst() where words[place] >= 0 && words[place] == words[place - 1] {
            #expect((labels[place] < 0) == (labels[place - 1] < 0))
        }
        var first = RowBatch()
        for row in 0..<5 { first.append(row: row, of: rows) }
        #expect(try self.masked(first, settings).tokens[...] == masked.tokens[..<first.tokenCount])
        #expect(try self.masked(rows, settings, key: 4).tokens != masked.tokens)
    }

    @Test("Training tells words better, masks every batch anew, and resumes with the same bits")
    func learnsAndResumes() throws {
        let rows = Self.rows(count: 24)
        func options(_ options: inout TrainerOptions) {
            options.epochCount = 12
            options.learningRate = 1e-2
        }
        let whole = try trainer(options)
        let (before, again) = (try whole.evaluate(rows), try whole.evaluate(rows))
        #expect(before.value("loss") == again.value("loss"))
        #expect(abs(before.value("perplexity").logarithm - before.value("loss")) < 1e-9)
        let (first, second) = (try whole.accumulate(rows).loss, try whole.accumulate(rows).loss)
        #expect(first != second)
        whole.dropWaiting()
        whole.progress.batch = 0
        _ = try whole.fit(rows, evaluation: nil) { _ in true }
        let after = try whole.evaluate(rows).value("loss")
        #expect(after < before.value("loss") * 0.8, "from \(before.value("loss")) to \(after)")

        let path = try Goldens.temporaryFolder() + "/checkpoint"
        func saving(_ changed: inout TrainerOptions) {
            options(&changed)
            changed.checkpointPath = path
            changed.checkpointSteps = 1
        }
        let stopped = try trainer(saving)
        #expect(throws: GraftError.self) { try stopped.fit(rows, evaluation: nil) { $0.step < 7 } }
        let resumed = try trainer(saving)
        _ = try resumed.fit(rows, evaluation: nil) { _ in true }
        #expect(bits(resumed.values) == bits(whole.values))
        let saved = try Goldens.temporaryFolder() + "/adapter"
        try whole.adapter.save(to: saved)
        #expect(try Adapter(model: model, path: saved).content.task == .maskedLanguageModel)
    }

    @Test("Rows masked one by one give the loss of each token")
    func oneByOne() throws {
        let rows = Self.rows(count: 3)
        let masked = try rows.maskedOneByOne(Self.mask)
        #expect(masked.rowCount == rows[.tokenWords].count { $0 >= 0 })
        for row in 0..<masked.rowCount {
            let own = masked.range(ofRow: row)
            #expect(masked[.tokenLabels][own].count { $0 >= 0 } == 1)
            #expect(zip(masked.tokens[own], masked[.tokenLabels][own]).allSatisfy { ($0 == Self.mask) == ($1 >= 0) })
        }
        let adapter = try Adapter(model: model, method: "lora", config: nil, seed: 1)
        try adapter.set(.maskedLanguageModel)
        let trainer = try Trainer(adapter: adapter, options: TrainingFixture.options())
        let session = try Session(model: model, threadCount: 1, passTokenCount: 7, cancelToken: nil)
        let filled = try session.fillMasks(masked, adapters: [], mask: Self.mask, bestCount: 120)
        var sum = 0.0
        for row in 0..<masked.rowCount {
            let label = masked[.tokenLabels][masked.range(ofRow: row)].first { $0 >= 0 }
            let own = filled[120 * row..<120 * (row + 1)].first { $0.label == label }
            sum -= Double(try #require(own).probability).logarithm
        }
        let loss = try trainer.evaluate(masked).value("loss")
        #expect(abs(loss - sum / Double(masked.rowCount)) < 1e-4, "\(loss)")
    }

    @Test(
        "Masks are filled as transformers fills them",
        arguments: [
            "bert-tiny", "bert-untied-tiny", "distilbert-tiny", "roberta-tiny", "xlm-roberta-tiny", "electra-tiny",
            "albert-tiny", "mpnet-tiny", "deberta-v2-tiny", "nomic-bert-tiny", "modernbert-tiny",
            "modernbert-biased-tiny",
            "deberta-v2-newer-tiny",
        ])
    func filled(name: String) throws {
        let model = try Architectures.load(path: Goldens.path("masked-language/\(name)"), precision: .float32)
        let expected = try SafetensorsFile(path: Goldens.path("masked-language/\(name)/expected.safetensors"))
        let batches = try JSON(contentsOf: Goldens.path("masked-language/batches.json"))
        let rows = try Goldens.rows(batches.arrayValue?[0] ?? .null)
        let session = try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
        let found = try session.fillMasks(rows, adapters: [], mask: Self.mask, bestCount: 3)
        #expect(Goldens.difference(found.map(\.probability), try Goldens.floats(expected, "probabilities")) < 2e-5)
        let tokens = try #require(expected["tokens"]).bytes.bindMemory(to: Int32.self)
        #expect(found.map(\.label) == Array(tokens))
    }

    @Test("Rows without words, settings out of range, and models without the head are refused")
    func refusals() throws {
        var bare = RowBatch()
        bare.append(tokens: [2, 3], types: nil as [Int32]?)
        let trainer = try trainer()
        #expect(throws: GraftError.self) { try trainer.step(bare) }
        #expect(throws: GraftError.self) { try bare.maskedOneByOne(4) }
        bare.set(.tokenWords, [-1, -1])
        #expect(throws: GraftError.self) { try trainer.fit(bare, evaluation: nil) { _ in true } }
        for settings in [
            "{}", #"{"mask_token": 4, "mlm_probability": 2}"#, #"{"mask_token": 4, "share": 1}"#, "[]",
            #"{"mask_token": 4, "mask_replace_prob": 0.8, "random_replace_prob": 0.3}"#,
        ] {
            let error = #expect(throws: GraftError.self, "\(settings)") { try TokenMasking(json: settings) }
            #expect(error?.code == .invalidArgument)
        }
        #expect(throws: GraftError.self) {
            try self.trainer { $0.masking = try? TokenMasking(json: #"{"mask_token": 120}"#) }
        }
        let other = try Architectures.load(path: Goldens.path("bert-tiny/sequence-classification"), precision: .float32)
        let adapter = try Adapter(model: other, method: "lora", config: nil, seed: 1)
        let error = #expect(throws: GraftError.self) { try adapter.set(.maskedLanguageModel) }
        #expect(error?.code == .unsupported && error?.message.contains("cls.predictions") == true)
    }

    @Test("A head that multiplies by the embeddings is not trained with a table of the adapter's own")
    func ownTable() throws {
        let model = try Architectures.load(
            path: Goldens.path("masked-language/deberta-v2-newer-tiny"), precision: .float32)
        let adapter = try Adapter(
            model: model, method: "lora",
            config: #"{"target_modules": ["query_proj"], "modules_to_save": ["word_embeddings"]}"#, seed: 1)
        let error = #expect(throws: GraftError.self) { try adapter.set(.maskedLanguageModel) }
        #expect(error?.code == .unsupported && error?.message.contains("word_embeddings") == true)
        // PEFT takes its dense layer for what makes the outputs.
        let all = try Adapter(model: model, method: "lora", config: #"{"target_modules": "all-linear"}"#, seed: 1)
        try all.set(.maskedLanguageModel)
        #expect(!all.content.plan.tensors.contains { $0.name.contains("lm_predictions") })
    }
}

extension Double {
    fileprivate var logarithm: Double { Glibc.log(self) }
}
