import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import GraftTokenizers
import Testing

@testable import GraftInference

/// Models that read rows and write others, against transformers: small random ones, and the real
/// Marian.
@Suite struct EncoderDecoderTests {
    private static let names = ["marian", "bart", "mbart", "t5", "t5-gated", "mt5", "bart-even"]

    private func model(_ name: String) throws -> Model {
        try Architectures.load(path: Goldens.path("seq2seq-tiny/\(name)"), precision: .float32)
    }

    private func rows() throws -> RowBatch {
        try Goldens.rows(try JSON(contentsOf: Goldens.path("seq2seq-tiny/inputs.json")))
    }

    /// The rows that a model's decoder reads.
    private func decoderRows(_ batch: RowBatch, _ model: Model) throws -> RowBatch {
        var rows = RowBatch()
        #expect(try rows.takeTargets(of: batch, #require(model.decoderTokens)))
        return rows
    }

    /// Hidden states of one layer, as `run` has the pass computes them.
    private func states(
        _ model: Model, _ rows: RowBatch, layer: Int, _ run: (Pass) throws(GraftError) -> Void
    ) throws -> [Float] {
        let pass = try Pass(team: try Team(threadCount: 2))
        var out = [Float](repeating: .nan, count: rows.tokenCount * model.shape.hiddenSize)
        try out.withUnsafeMutableBufferPointer { out in
            guard let base = out.baseAddress else { return }
            try pass.begin(rows, rows: 0..<rows.rowCount) { _ in nil }
            pass.capture = (layer, base)
            try run(pass)
        }
        return out
    }

    private func logits(_ model: Model, _ rows: RowBatch, every step: Int = 1) throws -> [Float] {
        let pass = try Pass(team: try Team(threadCount: 2))
        try pass.begin(rows, rows: 0..<rows.rowCount) { _ in nil }
        let hidden = try model.forward(pass)
        let chosen = stride(from: 0, to: rows.tokenCount, by: step).map { Int32($0) }
        var logits: [Float] = []
        try chosen.withUnsafeBufferPointer { chosen in
            try LanguageModelHead(model: model).eachChunk(of: chosen, batchFirst: 0, hidden.matrix, pass: pass) {
                chunk in
                for row in 0..<chunk.logits.rows {
                    logits += UnsafeBufferPointer(
                        start: chunk.logits.base + row * chunk.logits.stride, count: chunk.logits.columns)
                }
            }
        }
        return logits
    }

    private func generate(
        _ rows: RowBatch, _ session: Session, maximumTokens: Int, tokenizer: Tokenizer? = nil, guessed: Int = 0
    ) throws -> (tokens: [[Int32]], texts: [String]) {
        var options = GenerationOptions()
        options.maximumTokens = maximumTokens
        options.promptLookupTokens = guessed
        var tokens = Array(repeating: [Int32](), count: rows.rowCount)
        var texts = Array(repeating: "", count: rows.rowCount)
        try session.generate(rows, adapters: [], options: options, tokenizer: tokenizer) { token in
            tokens[token.row].append(token.id)
            texts[token.row] += token.text
            return true
        }
        return (tokens, texts)
    }

    @Test("Hidden states of both stacks and logits equal those of transformers", arguments: names)
    func statesEqual(name: String) throws {
        let (model, batch) = (try model(name), try rows())
        let target = try decoderRows(batch, model)
        let file = try SafetensorsFile(path: Goldens.path("seq2seq-tiny/\(name)/expected.safetensors"))
        for layer in 0...model.shape.encoderLayerCount {
            let own = try states(model, batch, layer: layer) { pass throws(GraftError) in try model.read(pass) }
            let difference = Goldens.difference(own, try Goldens.floats(file, "encoder.\(layer)"))
            #expect(difference < 6e-5, "encoder layer \(layer): \(difference)")
        }
        for layer in 0...model.shape.layerCount {
            let own = try states(model, target, layer: layer) { pass throws(GraftError) in _ = try model.forward(pass) }
            let difference = Goldens.difference(own, try Goldens.floats(file, "decoder.\(layer)"))
            #expect(difference < 6e-5, "decoder layer \(layer): \(difference)")
        }
        let difference = Goldens.difference(try logits(model, target), try Goldens.floats(file, "logits"))
        #expect(difference < 1e-4, "\(difference)")
    }

    @Test("Greedy tokens are those of transformers, with what the files say of texts", arguments: names)
    func greedy(name: String) throws {
        let golden = try JSON(contentsOf: Goldens.path("seq2seq-tiny/\(name)/greedy.json")).arrayValue ?? []
        let session = try Session(model: try model(name), threadCount: 2, passTokenCount: 16, cancelToken: nil)
        for guessed in [0, 8] {
            let written = try generate(rows(), session, maximumTokens: 20, guessed: guessed)
            #expect(written.tokens == golden.map(Goldens.numbers), "guesses of \(guessed) tokens")
        }
    }

    @Test("Targets that join others, and beams, are those of each row alone", arguments: names)
    func joining(name: String) throws {
        let (model, batch) = (try model(name), try rows())
        let session = try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
        for beams in [1, 3] {
            var options = GenerationOptions()
            options.maximumTokens = 12
            options.beamCount = beams
            var found = Array(repeating: [Int32](), count: batch.rowCount)
            var expected = found
            for row in 0..<batch.rowCount {
                var alone = RowBatch()
                alone.append(row: row, of: batch)
                try session.generate(alone, adapters: [], options: options, tokenizer: nil) { token in
                    expected[row].append(token.id)
                    return true
                }
            }
            for row in 0..<batch.rowCount {
                var alone = RowBatch()
                alone.append(row: row, of: batch)
                try session.add(alone, adapters: [], options: options, tokenizer: nil, firstRow: row)
                // The next row joins amid the target of this one.
                for _ in 0..<3 {
                    _ = try session.step { token in
                        found[token.row].append(token.id)
                        return true
                    }
                }
            }
            while try session.step({ token in
                found[token.row].append(token.id)
                return true
            }) > 0 {}
            #expect(found == expected, "\(beams) beams")
        }
    }

    @Test("The real Marian translates as in transformers, six unequal sentences in one batch or alone")
    func translation() throws {
        let folder = try TestData.path("models/marian-enpt")
        let model = try Architectures.load(path: folder, precision: .float32)
        let tokenizer = try Tokenizer(folder: folder)
        let golden = try JSON(contentsOf: Goldens.path("marian-enpt/greedy.json")).arrayValue ?? []
        #expect(golden.count == 6)
        var (batch, targets) = (RowBatch(), RowBatch())
        for row in golden {
            let ids = try tokenizer.encode(try row.string("text")).ids
            #expect(Array(ids) == Goldens.numbers(try #require(row["input_ids"])))
            batch.append(tokens: ids, types: nil as [Int32]?)
            targets.append(tokens: Goldens.numbers(try #require(row["target_ids"])), types: nil as [Int32]?)
        }
        batch.set(targets: targets)
        let session = try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
        let written = try generate(batch, session, maximumTokens: 64, tokenizer: tokenizer)
        for (row, expected) in golden.enumerated() {
            #expect(written.tokens[row] == Goldens.numbers(try #require(expected["target_ids"])))
            #expect(written.texts[row] == (try expected.string("target")))
            var alone = RowBatch()
            alone.append(row: row, of: batch)
            #expect(try generate(alone, session, maximumTokens: 64).tokens == [written.tokens[row]])
        }
        let file = try SafetensorsFile(path: Goldens.path("marian-enpt/logits.safetensors"))
        let all = try logits(model, try decoderRows(batch, model), every: 11)
        let width = model.shape.vocabularySize
        let own = all.indices.filter { $0 % width % 7 == 0 }.map { all[$0] }
        let difference = Goldens.difference(own, try Goldens.floats(file, "logits"))
        #expect(difference < 1e-4, "\(difference)")
    }

    @Test(
        "A configuration that contradicts itself or asks for what is not done is refused by name",
        arguments: [
            ("encoder_attention_heads", 3, .unsupported), ("decoder_ffn_dim", 100, .incompatible),
            ("decoder_layers", 4, .notFound), ("activation_function", "step", .unsupported),
            ("is_encoder_decoder", false, .unsupported), ("encoder_layerdrop", 0.5, .unsupported),
            ("share_encoder_decoder_embeddings", false, .unsupported), ("decoder_vocab_size", 50, .unsupported),
            ("decoder_start_token_id", 110, .incompatible),
        ] as [(String, JSON, GraftError.Code)])
    func refusedConfiguration(key: String, value: JSON, code: GraftError.Code) throws {
        let folder = try Goldens.copyOfModel("seq2seq-tiny/marian", changing: [key: value])
        let error = #expect(throws: GraftError.self) { try Architectures.load(path: folder, precision: .float32) }
        #expect(error?.code == code, "\(error?.message ?? "")")
        #expect(error?.message.contains(folder) ?? false, "\(error?.message ?? "")")
    }

    @Test("A checkpoint that classifies rows does so by itself", arguments: ["bart", "mbart", "t5", "mt5"])
    func ownHead(name: String) throws {
        let folder = Goldens.path("seq2seq-heads/\(name)")
        let model = try Architectures.load(path: folder, precision: .float32)
        #expect(model.ownTask == .sequenceClassification && model.baseHead?.labels.count == 3)
        let batch = try Goldens.rows(try JSON(contentsOf: Goldens.path("seq2seq-heads/inputs.json")))
        let session = try Session(model: model, threadCount: 2, passTokenCount: 24, cancelToken: nil)
        var found = [Float](repeating: .nan, count: batch.rowCount * 3)
        try session.classify(batch, adapters: [], into: &found)
        let expected = try Goldens.floats(SafetensorsFile(path: folder + "/expected.safetensors"), "logits")
        #expect(Goldens.difference(found, expected) < 5e-5)
        var unended = RowBatch()
        unended.append(tokens: [5, 6], types: nil as [Int32]?)
        let error = #expect(throws: GraftError.self) { try session.classify(unended, adapters: [], into: &found) }
        #expect(error?.code == .incompatible && error?.message.contains("eos_token_id") == true)
        // PEFT puts no prefix there, and it has no matrix of logits.
        let prefix = try Adapter(model: model, method: "lora", config: nil, seed: 1)
        #expect(throws: GraftError.self) { try prefix.set(.sequenceToSequence) }
        #expect(throws: GraftError.self) { try prefix.set(.maskedLanguageModel) }
    }

    @Test(
        "A checkpoint with a head of tokens reads them by itself",
        arguments: ["bart-answers", "mbart-answers", "t5-answers", "mt5-answers", "t5-tokens", "mt5-tokens"])
    func ownHeadOfTokens(name: String) throws {
        let folder = Goldens.path("seq2seq-token-heads/\(name)")
        let model = try Architectures.load(path: folder, precision: .float32)
        #expect(model.ownTask == (name.hasSuffix("answers") ? .questionAnswering : .tokenClassification))
        let labels = try #require(model.baseHead?.labels.count)
        let batch = try Goldens.rows(try JSON(contentsOf: Goldens.path("seq2seq-token-heads/inputs.json")))
        let session = try Session(model: model, threadCount: 2, passTokenCount: 24, cancelToken: nil)
        var found = [Float](repeating: .nan, count: batch.tokenCount * labels)
        try session.classify(batch, adapters: [], into: &found)
        let expected = try Goldens.floats(SafetensorsFile(path: folder + "/expected.safetensors"), "logits")
        #expect(found.count == expected.count && Goldens.difference(found, expected) < 5e-5)
    }

    @Test("The encoder of a T5 alone is an encoder as others are")
    func encoderAlone() throws {
        let folder = Goldens.path("seq2seq-token-heads/t5-encoder")
        let model = try Architectures.load(path: folder, precision: .float32)
        #expect(model.baseHead == nil && model.decoderTokens == nil && model.shape.layerCount == 3)
        let batch = try Goldens.rows(try JSON(contentsOf: Goldens.path("seq2seq-token-heads/inputs.json")))
        let session = try Session(model: model, threadCount: 2, passTokenCount: 24, cancelToken: nil)
        let file = try SafetensorsFile(path: folder + "/expected.safetensors")
        for layer in 0...3 {
            var found = [Float](repeating: .nan, count: batch.tokenCount * model.shape.hiddenSize)
            try session.hiddenStates(batch, adapters: [], layer: layer, into: &found)
            let difference = Goldens.difference(found, try Goldens.floats(file, "hidden_states.\(layer)"))
            #expect(difference < 5e-5, "layer \(layer): \(difference)")
        }
        // A head of rows reads the mean of their tokens.
        let adapter = try Adapter(model: model, method: "lora", config: nil, seed: 1)
        try adapter.set(.sequenceClassification, HeadSettings(labels: ["a", "b"], dropout: 0, trainsDense: false))
        try session.attach(try Composition(adapter: adapter, scale: 1))
        var numbers = [Float](repeating: .nan, count: batch.rowCount * 2)
        try session.classify(batch, adapters: [], into: &numbers)
        #expect(numbers.allSatisfy { $0.isFinite })
        #expect(throws: GraftError.self) { try adapter.set(.sequenceToSequence) }
        // With a decoder, heads of tokens have no class.
        let whole = try Adapter(
            model: try self.model("t5"), method: "lora", config: nil, seed: 1)
        let error = #expect(throws: GraftError.self) {
            try whole.set(.tokenClassification, HeadSettings(labels: ["a", "b"], dropout: 0, trainsDense: false))
        }
        #expect(error?.message.contains("T5EncoderModel") == true, "\(error?.message ?? "")")
    }

    @Test("A prefix is that of the decoder alone, and of no head of rows")
    func prefixOfDecoder() throws {
        let (model, batch) = (try model("bart-even"), try rows())
        let adapter = try Adapter(
            model: model, method: "prefix_tuning", config: #"{"num_virtual_tokens": 4}"#, seed: 1)
        let session = try Session(model: model, threadCount: 1, passTokenCount: 0, cancelToken: nil)
        func states() throws -> [Float] {
            var out = [Float](repeating: 0, count: batch.tokenCount * model.shape.hiddenSize)
            try session.hiddenStates(batch, adapters: [], layer: -1, into: &out)
            return out
        }
        let plain = try states()
        try session.attach(try Composition(adapter: adapter, scale: 1))
        #expect(try states() == plain)
        let head = HeadSettings(labels: ["a", "b"], dropout: nil, trainsDense: false)
        let error = #expect(throws: GraftError.self) { try adapter.set(.sequenceClassification, head) }
        #expect(error?.code == .unsupported && error?.message.contains("prefix_tuning") == true)
    }

    @Test("What reads rows with an encoder refuses what it does not do")
    func refused() throws {
        let (model, batch) = (try model("marian"), try rows())
        let session = try Session(model: model, threadCount: 1, passTokenCount: 0, cancelToken: nil)
        var out = [Float](repeating: 0, count: batch.rowCount * model.shape.hiddenSize)
        let embedding = try session.embedding(.mean, normalizes: false)
        let error = #expect(throws: GraftError.self) {
            try session.embed(batch, adapters: [], as: embedding, into: &out)
        }
        #expect(error?.code == .unsupported, "\(error?.message ?? "")")
        // This decoder has more layers than the encoder, whose number of them PEFT has keys for.
        for method in ["prefix_tuning", "prompt_tuning"] {
            let error = #expect(throws: GraftError.self) {
                try Adapter(model: model, method: method, config: nil, seed: 1)
            }
            #expect(error?.code == .unsupported, "\(error?.message ?? "")")
        }
        let adapter = try Adapter(model: model, method: "lora", config: nil, seed: 1)
        for task in Tasks.all where task != .sequenceToSequence {
            let head =
                task.hasOwnHead
                ? HeadSettings(labels: task.outputNames ?? ["a", "b"], dropout: nil, trainsDense: false) : nil
            let error = #expect(throws: GraftError.self) { try adapter.set(task, head) }
            #expect(error?.code == .unsupported, "\(task): \(error?.message ?? "")")
        }
        let decoder = try Architectures.load(path: Goldens.path("gpt2-tiny/plain"), precision: .float32)
        let other = try Adapter(model: decoder, method: "lora", config: nil, seed: 1)
        #expect(throws: GraftError.self) { try other.set(.sequenceToSequence) }
    }
}
