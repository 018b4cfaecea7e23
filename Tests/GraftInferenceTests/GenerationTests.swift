import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import GraftTokenizers
import Glibc
import Testing

@testable import GraftInference

/// Texts that go on, with the real stories260K.
@Suite struct GenerationTests {
    private let model: Model
    private let tokenizer: Tokenizer
    private let golden: [JSON]

    init() throws {
        let folder = try TestData.path("models/stories260K/hf")
        model = try Architectures.load(path: folder, precision: .float32)
        tokenizer = try Tokenizer(folder: folder)
        golden = try JSON(contentsOf: Goldens.path("generation/greedy.json")).arrayValue ?? []
    }

    private struct Result: Equatable {
        var tokens: [Int32] = []
        var texts: [String] = []
        var text: String { texts.joined() }
    }

    private func prompts() throws -> RowBatch {
        var rows = RowBatch()
        for row in golden {
            rows.append(tokens: Goldens.numbers(try #require(row["input_ids"])), types: nil as [Int32]?)
        }
        return rows
    }

    private func session(threads: Int = 2, passTokens: Int = 0, token: CancelToken? = nil) throws -> Session {
        try Session(model: model, threadCount: threads, passTokenCount: passTokens, cancelToken: token)
    }

    private func generate(
        _ rows: RowBatch, session given: Session? = nil, adapters: [Composition?] = [],
        _ change: (inout GenerationOptions) -> Void
    ) throws -> [Result] {
        var options = GenerationOptions()
        options.stopTokens = []
        options.maximumTokens = 60
        change(&options)
        var results = Array(repeating: Result(), count: rows.rowCount)
        try (given ?? session()).generate(rows, adapters: adapters, options: options, tokenizer: tokenizer) {
            token in
            results[token.row].tokens.append(token.id)
            results[token.row].texts.append(token.text)
            return true
        }
        return results
    }

    /// A composition whose adapter changes the text, from a seed.
    private func composition(seed: UInt64) throws -> Composition {
        let adapter = try Adapter(
            model: model, method: "lora",
            config: "{\"r\": 4, \"lora_alpha\": 8, \"init_lora_weights\": false, \"target_modules\": \"all-linear\"}",
            seed: seed)
        return try Composition(adapter: adapter, scale: 1)
    }

    @Test("Two hundred greedy tokens and their text are those of transformers, five unequal prompts in one batch")
    func greedy() throws {
        #expect(golden.count == 5)
        let results = try generate(prompts()) { $0.maximumTokens = 200 }
        for (result, expected) in zip(results, golden) {
            #expect(result.tokens == Goldens.numbers(try #require(expected["new_ids"])))
            // Behind its prompt a text begins with the space that a text of its own would leave
            // out.
            let text = try expected.string("text")
            #expect(result.text == text || result.text == " " + text, "\(result.text)")
        }
    }

    @Test("Logits are within 1e-4 of transformers'")
    func logits() throws {
        var rows = RowBatch()
        for row in golden {
            let tokens = Goldens.numbers(try #require(row["input_ids"])) + Goldens.numbers(try #require(row["new_ids"]))
            rows.append(tokens: tokens, types: nil as [Int32]?)
        }
        let pass = try Pass(team: try Team(threadCount: 2))
        try pass.begin(rows, rows: 0..<rows.rowCount) { _ in nil }
        let hidden = try model.forward(pass)
        let chosen = stride(from: 0, to: rows.tokenCount, by: 11).map { Int32($0) }
        var logits: [Float] = []
        let head = try LanguageModelHead(model: model)
        try chosen.withUnsafeBufferPointer { chosen in
            try head.eachChunk(of: chosen, batchFirst: 0, hidden.matrix, pass: pass) { chunk in
                logits += Array(UnsafeBufferPointer(start: chunk.logits.base, count: chunk.logits.count))
            }
        }
        let file = try SafetensorsFile(path: Goldens.path("generation/logits.safetensors"))
        let difference = Goldens.difference(logits, try Goldens.floats(file, "logits"))
        #expect(difference < 1e-4, "\(difference)")
    }

    @Test(
        "Rows with adapters of their own have the tokens and texts that each has alone, greedy and sampled",
        arguments: [0, 0.9])
    func rowsAreTheirOwn(temperature: Float) throws {
        let rows = try prompts()
        let (first, second) = (try composition(seed: 1), try composition(seed: 2))
        let adapters: [Composition?] = [first, nil, second, first, second]
        func change(_ options: inout GenerationOptions) {
            options.temperature = temperature
            options.topP = 0.95
            options.repetitionPenalty = 1.1
            options.seed = 5
        }
        let together = try generate(rows, adapters: adapters, change)
        #expect(Set(together.map(\.tokens)).count == 5)
        #expect(together[0] != (try generate(rows, change))[0], "the adapter changes the text")
        for row in 0..<rows.rowCount {
            var alone = RowBatch()
            alone.append(row: row, of: rows)
            #expect(try generate(alone, adapters: [adapters[row]], change)[0] == together[row], "row \(row)")
        }
        for threads in [1, 3, 8] {
            let session = try session(threads: threads, passTokens: 11)
            #expect(try generate(rows, session: session, adapters: adapters, change) == together, "\(threads) threads")
            #expect(try generate(rows, session: session, adapters: adapters, change) == together, "the cache is new")
        }
    }

    @Test("A seed gives the same text again, and another seed another; rows may have their own")
    func seeds() throws {
        var rows = RowBatch()
        for _ in 0..<3 { rows.append(row: 0, of: try prompts()) }
        func sampled(_ change: (inout GenerationOptions) -> Void) throws -> [Result] {
            try generate(rows) {
                $0.temperature = 1
                change(&$0)
            }
        }
        let same = try sampled { $0.seed = 3 }
        #expect(same[0] == same[1] && same[1] == same[2])
        #expect(try sampled { $0.seed = 4 }[0] != same[0])
        let own = try sampled { $0.rowSeeds = [3, 4, 5] }
        #expect(own[0] == same[0] && own[0] != own[1] && own[1] != own[2])
    }

    @Test("Pieces of text join to what the tokens decode to, and none holds half a character")
    func pieces() throws {
        for result in try generate(prompts(), { $0.temperature = 1.5 }) {
            let whole = try tokenizer.decode(result.tokens)
            #expect(result.text == whole || result.text == " " + whole)
        }
        // Bytes of 日本 one by one, then a byte that never becomes a character.
        var stream = try TextStream(tokenizer, after: Goldens.numbers(try #require(golden[0]["input_ids"])))
        let bytes: [Int32] = [233, 154, 168, 233, 159, 175, 233]
        #expect(try tokenizer.decode(Array(bytes.dropLast())) == "日本")
        var texts: [String] = []
        for byte in bytes { texts.append(try stream.append(byte)) }
        texts.append(try stream.finish())
        #expect(texts == ["", "", "日", "", "", "本", "", "\u{fffd}"])
        // A prompt that ends within a character, which the text completes.
        stream = try TextStream(tokenizer, after: [410, 233, 154])
        #expect(try stream.append(168) == "日")
        #expect(try stream.append(261) == (try tokenizer.decode([410, 261])))
    }

    @Test("A row ends at a stop token, at the most tokens, at the last position, or when the callback says so")
    func ends() throws {
        let rows = try prompts()
        let free = try generate(rows) { $0.maximumTokens = 30 }
        #expect(free.allSatisfy { $0.tokens.count == 30 })
        let stop = free[1].tokens[7]
        let stopped = try generate(rows) {
            $0.maximumTokens = 30
            $0.stopTokens = [stop]
        }
        for (result, whole) in zip(stopped, free) {
            let expected = whole.tokens.firstIndex(of: stop).map { Array(whole.tokens[...$0]) } ?? whole.tokens
            #expect(result.tokens == expected)
            if result.tokens.last == stop { #expect(result.texts.last == "") }
        }
        #expect(try generate(rows) { $0.maximumTokens = 0 }.allSatisfy { $0.tokens.isEmpty })

        var long = RowBatch()
        long.append(tokens: (0..<509).map { Int32(3 + $0 % 500) }, types: nil as [Int32]?)
        #expect(try generate(long) { _ in }[0].tokens.count == 3)

        var counts = Array(repeating: 0, count: rows.rowCount)
        var options = GenerationOptions()
        options.stopTokens = []
        try session().generate(rows, adapters: [], options: options, tokenizer: nil) { token in
            #expect(token.text == "")
            counts[token.row] += 1
            return counts[token.row] <= token.row
        }
        #expect(counts == [1, 2, 3, 4, 5])
    }

    @Test("A row ends before a stop string, whose tokens may end elsewhere, and says why it ended")
    func stopStrings() throws {
        let rows = try prompts()
        let free = try generate(rows) { $0.maximumTokens = 30 }
        let text = free[0].text
        let stop = String(text[text.index(text.startIndex, offsetBy: 20)..<text.index(text.startIndex, offsetBy: 27)])
        var ends: [TokenEnd] = Array(repeating: .none, count: rows.rowCount)
        var texts = Array(repeating: "", count: rows.rowCount)
        var options = GenerationOptions()
        options.stopTokens = [free[1].tokens[7]]
        options.stopStrings = ["never said", stop]
        options.maximumTokens = 30
        try session().generate(rows, adapters: [], options: options, tokenizer: tokenizer) { token in
            texts[token.row] += token.text
            ends[token.row] = token.end
            return true
        }
        let first = try #require(text.firstRange(of: stop))
        #expect(texts[0] == text[..<first.lowerBound] && ends[0] == .stopString)
        #expect(ends[1] == .stopToken && ends.contains(.length))
        // No stop token comes before the minimum.
        let late = try generate(rows) {
            $0.maximumTokens = 30
            $0.minimumTokens = 20
            $0.stopTokens = [free[1].tokens[7], free[0].tokens[3]]
        }
        #expect(late.allSatisfy { $0.tokens.count > 20 })
    }

    @Test("Samples of a prompt draw for themselves, the first as if it were alone")
    func samples() throws {
        let rows = try prompts()
        func change(_ options: inout GenerationOptions) {
            options.temperature = 1
            options.maximumTokens = 20
        }
        let alone = try generate(rows, change)
        var samples = Array(repeating: Array(repeating: [Int32](), count: 3), count: rows.rowCount)
        var options = GenerationOptions()
        options.stopTokens = []
        change(&options)
        options.sampleCount = 3
        try session(passTokens: 40).generate(rows, adapters: [], options: options, tokenizer: nil) { token in
            samples[token.row][token.sample].append(token.id)
            return true
        }
        for (one, three) in zip(alone, samples) {
            #expect(three[0] == one.tokens)
            #expect(Set(three).count == 3)
        }
    }

    @Test("Log-probabilities are the log softmax of the model's logits, whatever is done to them")
    func logProbabilities() throws {
        var options = GenerationOptions()
        options.stopTokens = []
        options.maximumTokens = 8
        options.likelyCount = 512
        options.repetitionPenalty = 1.5
        options.temperature = 2
        let rows = try prompts()
        var tokens = Array(repeating: [Int32](), count: rows.rowCount)
        var logits = [Float](repeating: 0, count: 512)
        try session().generate(rows, adapters: [], options: options, tokenizer: nil) { token in
            let likely = token.likely!
            let sum = likely.ofTokens.reduce(0) { $0 + exp(Double($1)) }
            #expect(abs(sum - 1) < 1e-5)
            #expect(likely.ofTokens == likely.ofTokens.sorted(by: >) && Set(likely.tokens).count == 512)
            #expect(token.logProbability == likely[token.id])
            tokens[token.row].append(token.id)
            if token.row == 0, tokens[0].count == 8 { for id in 0..<512 { logits[id] = likely[Int32(id)] } }
            return true
        }
        // The same from a pass over the whole text.
        var whole = RowBatch()
        let text = Array(rows.tokens[rows.range(ofRow: 0)]) + tokens[0].dropLast()
        whole.append(tokens: text, types: nil as [Int32]?)
        let pass = try Pass(team: try Team(threadCount: 1))
        try pass.begin(whole, rows: 0..<1, reading: .last) { _ in nil }
        let hidden = try model.forward(pass)
        try [Int32(0)].withUnsafeBufferPointer { first in
            try LanguageModelHead(model: model).eachChunk(of: first, batchFirst: 0, hidden.matrix, pass: pass) {
                chunk in
                let sum = log((0..<512).reduce(0.0) { $0 + exp(Double(chunk.logits.base[$1])) })
                for id in 0..<512 { #expect(abs(Double(chunk.logits.base[id]) - sum - Double(logits[id])) < 1e-5) }
            }
        }
    }

    @Test("A cancelled call ends with an error, after the tokens that were handed out")
    func cancelled() throws {
        let token = CancelToken()
        let session = try session(token: token)
        var count = 0
        let error = #expect(throws: GraftError.self) {
            try session.generate(try prompts(), adapters: [], options: GenerationOptions(), tokenizer: nil) { _ in
                count += 1
                if count == 12 { token.cancel() }
                return true
            }
        }
        #expect(error?.code == .cancelled)
        #expect((12...15).contains(count))
    }

    @Test("What cannot go on is refused with what was expected")
    func refused() throws {
        let rows = try prompts()
        for change: (inout GenerationOptions) -> Void in [
            { $0.temperature = -1 }, { $0.temperature = .nan }, { $0.topP = 0 }, { $0.topP = 1.5 }, { $0.topK = -1 },
            { $0.repetitionPenalty = 0 }, { $0.maximumTokens = -1 }, { $0.rowSeeds = [1] }, { $0.minP = -0.1 },
            { $0.typicalP = 0 }, { $0.frequencyPenalty = .infinity }, { $0.presencePenalty = .nan },
            { $0.noRepeatSize = -1 }, { $0.minimumTokens = 61 }, { $0.sampleCount = 0 }, { $0.likelyCount = 513 },
            { $0.stopStrings = [".", ""] }, { $0.biases = [.init(token: 512, amount: 1)] },
            { $0.biases = [.init(token: 1, amount: .nan)] },
            { $0.biases = (0..<512).map { .init(token: $0, amount: -.infinity) } },
        ] {
            let error = #expect(throws: GraftError.self) { try generate(rows, change) }
            #expect(error?.code == .invalidArgument)
        }
        let bert = try Architectures.load(path: Goldens.path("bert-tiny/base"), precision: .float32)
        let session = try Session(model: bert, threadCount: 1, passTokenCount: 0, cancelToken: nil)
        let error = #expect(throws: GraftError.self) { try generate(rows, session: session) { _ in } }
        #expect(error?.code == .unsupported)
        var tooLong = RowBatch()
        tooLong.append(tokens: Array(repeating: 5, count: 513), types: nil as [Int32]?)
        #expect(throws: GraftError.self) { try generate(tooLong) { _ in } }
    }

    @Test("An adapter that makes logits no numbers ends the call, naming the row")
    func broken() throws {
        let composition = try composition(seed: 1)
        composition.adapters[0].content.values[0] = .nan
        let error = #expect(throws: GraftError.self) {
            try generate(try prompts(), adapters: [nil, nil, composition, nil, nil]) { _ in }
        }
        #expect(error?.code == .diverged && error?.message.hasPrefix("row 2:") == true, "\(error?.message ?? "")")
    }
}
