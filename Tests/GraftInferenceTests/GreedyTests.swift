import GraftFormats
import GraftInference
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// The likeliest tokens, of every kind of decoder.
@Suite struct GreedyTests {
    private static let golden = try? JSON(contentsOf: Goldens.path("greedy/greedy.json"))
    private static let folders = golden?["texts"]?.objectValue.map { $0.map(\.key) } ?? []

    @Test("Fifty tokens are those of transformers, of unequal prompts in one batch", arguments: folders)
    func tokens(folder: String) throws {
        let golden = try #require(Self.golden)
        var rows = RowBatch()
        for prompt in try golden.array("prompts") {
            rows.append(tokens: Goldens.numbers(prompt), types: nil as [Int32]?)
        }
        let texts = try #require(golden["texts"]?[folder]?.arrayValue)
        var options = GenerationOptions()
        options.stopTokens = []
        options.maximumTokens = 50
        let model = try Architectures.load(path: Goldens.path(folder), precision: .float32)
        for guessed in [0, 8] {
            options.promptLookupTokens = guessed
            var found = texts.map { _ in [Int32]() }
            try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil).generate(
                rows, adapters: [], options: options, tokenizer: nil
            ) { token in
                found[token.row].append(token.id)
                return true
            }
            #expect(found == texts.map { Goldens.numbers($0) }, "guesses of \(guessed) tokens")
        }
    }

    @Test("The goldens are there")
    func goldensAreThere() { #expect(Self.folders.count >= 4) }
}
