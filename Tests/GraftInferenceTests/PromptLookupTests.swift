import GraftAdapters
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import GraftTokenizers
import Testing

@testable import GraftInference

/// Tokens that are guessed from the row's own, with the real stories260K: they change nothing but
/// the number of steps.
@Suite struct PromptLookupTests {
    private let folder: String
    private let tokenizer: Tokenizer

    init() throws {
        folder = try TestData.path("models/stories260K/hf")
        tokenizer = try Tokenizer(folder: folder)
    }

    /// All that is said of a token.
    private struct Said: Equatable {
        let id: Int32
        let text: String
        let end: TokenEnd
        let logProbability: Float?
        let likely: [Float]?

        init(_ token: NewToken) {
            (id, text, end, logProbability) = (token.id, token.text, token.end, token.logProbability)
            likely = token.likely?.ofTokens
        }
    }

    private static let story =
        "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a "
        + "big, red ball. She wanted to play with it. Lily said, \"Can I play with the ball?\" "

    /// Prompts of different lengths: what is to be said again, twice under the same beginning, what
    /// repeats itself, and what does neither.
    private func prompts() throws -> RowBatch {
        var rows = RowBatch()
        let texts = [
            Self.story + "Once upon a time, there was", Self.story + Self.story + "One day",
            "The dog ran and ran and ran and", "Tom",
        ]
        for text in texts { rows.append(tokens: try tokenizer.encode(text).ids, types: nil as [Int32]?) }
        return rows
    }

    /// The tokens of each row, which join one behind another, and the number of steps.
    private func generate(
        _ session: Session, _ adapters: [Composition?] = [], _ change: (inout GenerationOptions) -> Void
    ) throws -> (said: [[Said]], steps: Int) {
        let rows = try prompts()
        var said = Array(repeating: [Said](), count: rows.rowCount)
        var steps = 0
        func step() throws -> Int {
            steps += 1
            return try session.step { token in
                said[token.row].append(Said(token))
                // A row that its reader ends, perhaps amid what was guessed rightly.
                return token.row != 1 || said[1].count < 70
            }
        }
        for row in 0..<rows.rowCount {
            var options = GenerationOptions()
            options.stopTokens = []
            options.maximumTokens = 90
            options.likelyCount = 2
            change(&options)
            if !options.constraints.isEmpty { options.constraints = [options.constraints[row]] }
            var own = RowBatch()
            own.append(row: row, of: rows)
            try session.add(
                own, adapters: [row < adapters.count ? adapters[row] : nil], options: options, tokenizer: tokenizer,
                firstRow: row)
            for _ in 0..<3 { _ = try step() }
        }
        while try step() > 0 {}
        return (said, steps)
    }

    private let settings: [(String, (inout GenerationOptions) -> Void)] = [
        ("the likeliest", { _ in }),
        (
            "sampled under penalties",
            {
                ($0.temperature, $0.topP, $0.seed, $0.repetitionPenalty) = (0.6, 0.95, 3, 1.05)
                $0.frequencyPenalty = 0.01
            }
        ),
        ("ruled out", { ($0.noRepeatSize, $0.minimumTokens, $0.stopTokens) = (9, 20, [432]) }),
        ("stopped", { $0.stopStrings = ["red ball", "park. O"] }),
        (
            "constrained",
            {
                $0.constraints = [
                    #"{"regex": "( a little girl| named Lily|\\.| She| loved)+"}"#, nil,
                    #"{"choices": [" ran and ran and ran away", " ran and ran and ran and ran"]}"#, nil,
                ]
            }
        ),
    ]

    @Test(
        "Texts, their log-probabilities and ends are those without guesses, whatever is asked of them",
        arguments: zip([Precision.float32, .bfloat16], [2, 1]))
    func sameTexts(precision: Precision, threads: Int) throws {
        let model = try Architectures.load(path: folder, precision: precision)
        let config = "{\"r\": 4, \"lora_alpha\": 1, \"init_lora_weights\": false, \"target_modules\": \"all-linear\"}"
        let own = try Composition(
            adapter: try Adapter(model: model, method: "lora", config: config, seed: 1), scale: 0.5)
        let adapters = [nil, nil, own, own]
        func session(_ passTokens: Int = 0) throws -> Session {
            try Session(model: model, threadCount: threads, passTokenCount: passTokens, cancelToken: nil)
        }
        let other = try session()
        for (name, change) in settings {
            let plain = try generate(session(), adapters, change)
            for most in [1, 10] {
                let guessed = try generate(other, adapters) {
                    change(&$0)
                    $0.promptLookupTokens = most
                }
                #expect(guessed.said == plain.said, "\(name), \(most) tokens")
                let allowed = name == "the likeliest" ? plain.steps - 1 : plain.steps
                #expect(guessed.steps <= allowed, "\(name), \(most) tokens")
            }
            // What the cache remembers of texts with guesses is right, and passes may be small.
            #expect(try generate(other, adapters, change).said == plain.said, "\(name), afterwards")
            let small = try generate(session(7), adapters) {
                change(&$0)
                $0.promptLookupTokens = 20
            }
            #expect(small.said == plain.said, "\(name), in small passes")
        }
    }

    @Test("What repeats itself takes less than half the steps")
    func steps() throws {
        let model = try Architectures.load(path: folder, precision: .float32)
        func steps(_ most: Int) throws -> Int {
            let session = try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
            var (rows, options) = (RowBatch(), GenerationOptions())
            rows.append(row: 2, of: try prompts())
            (options.stopTokens, options.maximumTokens, options.promptLookupTokens) = ([], 200, most)
            options.constraints = [#"{"regex": "( ran and){60}"}"#]
            try session.add(rows, adapters: [], options: options, tokenizer: tokenizer, firstRow: 0)
            var steps = 1
            while try session.step({ _ in true }) > 0 { steps += 1 }
            return steps
        }
        #expect(try 2 * steps(10) < steps(0))
    }

    @Test("What followed the latest two tokens before is guessed, as far as guesses turn out right")
    func guesses() {
        var lookup = PromptLookup(most: 6)
        var tokens: [Int32] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2]
        func come(_ next: Int32...) { tokens += next }
        #expect(lookup.guess(after: tokens, room: 3) == [3, 4, 5])
        come(3, 4, 5, 6)
        #expect(lookup.guess(after: tokens, room: 9) == [7, 8, 9, 1, 2, 3])
        // Two were right, so two are guessed; then none is, and a token passes without a guess.
        come(7, 8, 1, 2)
        #expect(lookup.guess(after: tokens, room: 9) == [3, 4])
        come(1, 2)
        #expect(lookup.guess(after: tokens, room: 9) == [])
        come(3)
        #expect(lookup.guess(after: tokens, room: 9) == [4])
        // What repeats itself goes on doing so.
        come(4, 50, 51, 50, 51)
        #expect(lookup.guess(after: tokens, room: 9) == [50, 51])
        #expect(lookup.guess(after: tokens, room: 0) == [])
        for tokens in [[], [1], [1, 1], [1, 2, 3]] as [[Int32]] {
            var lookup = PromptLookup(most: 6)
            #expect(lookup.guess(after: tokens, room: 9) == [])
        }
        var none = PromptLookup(most: 0)
        #expect(none.guess(after: [1, 2, 1, 2], room: 9) == [])
    }

    @Test("Beams are not guessed, nor more tokens than there may be")
    func refused() throws {
        let model = try Architectures.load(path: folder, precision: .float32)
        for (count, beams) in [(-1, 1), (1025, 1), (1, 2)] {
            let session = try Session(model: model, threadCount: 1, passTokenCount: 0, cancelToken: nil)
            let error = #expect(throws: GraftError.self) {
                _ = try generate(session) {
                    ($0.promptLookupTokens, $0.beamCount, $0.likelyCount) = (count, beams, nil)
                }
            }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("prompt_lookup_tokens") == true, "\(error?.message ?? "")")
        }
    }
}
