import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftInference

/// Texts that grow over the length from which on all of their tokens turn otherwise: a token
/// follows as if the text before it had been the prompt.
@Suite struct LongTextTests {
    private let model: Model
    /// Rows that begin alike for a page and more, on both sides of the border at 66 tokens.
    private let prompts: [[Int32]]

    init() throws {
        let folder = try Goldens.copyOfModel("phi3-tiny/beyond", changing: ["original_max_position_embeddings": 66])
        model = try Architectures.load(path: folder, precision: .float32)
        var random = RandomNumbers(seed: 5, stream: "prompts")
        let tokens = (0..<70).map { _ in Int32(random.next() % 110) }
        prompts = [Array(tokens[..<64]), Array(tokens[..<68]), Array(tokens[..<60]), Array(tokens[..<66])]
    }

    private func session() throws -> Session {
        try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
    }

    private func texts(
        _ prompts: [[Int32]], _ session: Session, count: Int = 9, _ change: (inout GenerationOptions) -> Void = { _ in }
    ) throws -> [[NewToken]] {
        var rows = RowBatch()
        for prompt in prompts { rows.append(tokens: prompt, types: nil as [Int32]?) }
        var options = GenerationOptions()
        options.stopTokens = []
        options.maximumTokens = count
        options.likelyCount = 1
        change(&options)
        var found = prompts.map { _ in [NewToken]() }
        try session.generate(rows, adapters: [], options: options, tokenizer: nil) { token in
            found[token.row].append(token)
            return true
        }
        return found
    }

    @Test("Rows within, at and beyond the border go on as they would alone, from whatever is known of their beginnings")
    func growth() throws {
        let expected = try prompts.map { prompt in
            var text = prompt
            for _ in 0..<9 { text.append(try #require(try texts([text], self.session(), count: 1)[0].first).id) }
            return Array(text[prompt.count...])
        }
        #expect(Set(expected).count > 1)
        let session = try self.session()
        for guessed in [0, 6] {
            for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 0, 2]] {
                let found = try texts(order.map { prompts[$0] }, session) { $0.promptLookupTokens = guessed }
                #expect(found.map { $0.map(\.id) } == order.map { expected[$0] }, "\(order), guesses of \(guessed)")
            }
        }
    }

    @Test("So do beams")
    func beams() throws {
        let session = try self.session()
        let found = try texts(prompts, session) {
            $0.beamCount = 3
            $0.likelyCount = 0
        }
        for (prompt, tokens) in zip(prompts, found) {
            var text = prompt
            for token in tokens {
                let alone = try #require(try texts([text], self.session(), count: 1)[0].first)
                #expect(alone.likely?[token.id] == token.logProbability)
                text.append(token.id)
            }
            #expect(tokens.count == 9)
        }
    }
}
