import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftInference

@Suite struct BeamSearchTests {
    private struct Found {
        var tokens: [Int32] = []
        var score: Float = .nan
    }

    @Test("The best texts and their scores are those of transformers' beam search")
    func transformers() throws {
        let golden = try JSON(contentsOf: Goldens.path("generation/beams.json"))
        var rows = RowBatch()
        for prompt in try golden.array("prompts") {
            rows.append(tokens: Goldens.numbers(prompt), types: nil as [Int32]?)
        }
        var sessions: [String: Session] = [:]
        for (number, one) in try golden.array("cases").enumerated() {
            let folder = try one.string("model")
            let session = try sessions[folder] ?? session(folder)
            sessions[folder] = session
            let search = try #require(one["search"])
            let options = try options(search)
            let found = try texts(session, rows, options)
            for (row, expected) in try one.array("texts").enumerated() {
                let ids = try expected.array("new_ids").map(Goldens.numbers)
                #expect(found[row].map(\.tokens) == ids, "case \(number), \(folder), row \(row)")
                for (own, score) in zip(found[row], try expected.array("scores")) {
                    let score = Float(score.doubleValue ?? .nan)
                    #expect(abs(own.score - score) < 1e-5 * max(10, abs(score)), "case \(number), row \(row)")
                }
            }
        }
    }

    @Test("A beam search of a row is the same beside others, with other adapters, and in small passes")
    func rowsAreTheirOwn() throws {
        let session = try session("llama-tiny/everything")
        let config = "{\"r\": 4, \"init_lora_weights\": false, \"target_modules\": \"all-linear\"}"
        let adapter = try Adapter(model: session.model, method: "lora", config: config, seed: 3)
        let composition = try Composition(adapter: adapter, scale: 8)
        var rows = RowBatch()
        for length in [5, 40, 5] { rows.append(tokens: (0..<length).map { Int32(3 + $0) }, types: nil as [Int32]?) }
        var options = GenerationOptions()
        options.stopTokens = [20, 41, 66]
        options.beamCount = 4
        options.sampleCount = 4
        options.maximumTokens = 12
        let adapters = [nil, composition, composition]
        let together = try texts(session, rows, options, adapters)
        #expect(together[0].map(\.tokens) != together[2].map(\.tokens), "the adapter changes what is found")
        let small = try Session(model: session.model, threadCount: 3, passTokenCount: 3, cancelToken: nil)
        for row in 0..<3 {
            var alone = RowBatch()
            alone.append(row: row, of: rows)
            let own = try texts(small, alone, options, [adapters[row]])[0]
            #expect(own.map(\.tokens) == together[row].map(\.tokens) && own.map(\.score) == together[row].map(\.score))
        }
    }

    @Test("What beams have no meaning with is refused")
    func refused() throws {
        let session = try session("gpt2-tiny/everything")
        var rows = RowBatch()
        rows.append(tokens: [4, 9, 2], types: nil as [Int32]?)
        for change: (inout GenerationOptions) -> Void in [
            { $0.temperature = 1 }, { $0.sampleCount = 4 }, { $0.likelyCount = 2 }, { $0.lengthPenalty = .nan },
            { $0.beamCount = 1025 }, { $0.beamCount = 0 },
        ] {
            var options = GenerationOptions()
            options.beamCount = 3
            change(&options)
            let error = #expect(throws: GraftError.self) { try texts(session, rows, options) }
            #expect(error?.code == .invalidArgument)
        }
    }

    private func session(_ folder: String) throws -> Session {
        let model = try Architectures.load(path: Goldens.path(folder), precision: .float32)
        return try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
    }

    private func texts(
        _ session: Session, _ rows: RowBatch, _ options: GenerationOptions, _ adapters: [Composition?] = []
    ) throws -> [[Found]] {
        var found = Array(repeating: Array(repeating: Found(), count: options.sampleCount), count: rows.rowCount)
        try session.generate(rows, adapters: adapters, options: options, tokenizer: nil) { token in
            found[token.row][token.sample].tokens.append(token.id)
            found[token.row][token.sample].score = token.score ?? .nan
            return true
        }
        return found
    }

    /// By transformers' names.
    private func options(_ search: JSON) throws -> GenerationOptions {
        var options = GenerationOptions()
        options.beamCount = try search.int("num_beams")
        options.maximumTokens = try search.int("max_new_tokens")
        options.minimumTokens = search["min_new_tokens"]?.intValue ?? 0
        options.sampleCount = search["num_return_sequences"]?.intValue ?? 1
        options.lengthPenalty = Float(search["length_penalty"]?.doubleValue ?? 1)
        options.repetitionPenalty = Float(search["repetition_penalty"]?.doubleValue ?? 1)
        options.noRepeatSize = search["no_repeat_ngram_size"]?.intValue ?? 0
        options.earlyStopping =
            search["early_stopping"]?.stringValue == "never" ? .never : search["early_stopping"] == nil ? .no : .yes
        let ends = search["eos_token_id"]
        options.stopTokens =
            ends?.intValue.map { [Int32($0)] } ?? ends.flatMap { $0.arrayValue == nil ? nil : Goldens.numbers($0) }
            ?? []
        return options
    }
}
