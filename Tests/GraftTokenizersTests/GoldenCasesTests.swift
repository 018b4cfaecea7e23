import GraftFormats
import GraftTensor
import Testing

@testable import GraftTokenizers

/// Difficult texts, pairs and truncations against full results of Hugging Face `tokenizers` 0.23.3.
@Suite("Difficult texts are encoded and decoded as tokenizers 0.23.3 does")
struct GoldenCasesTests {
    @Test("Every array and the decoded text are equal", arguments: TestFiles.names)
    func cases(_ name: String) throws {
        let tokenizer = try TestFiles.tokenizer(name)
        let cases = try #require(try JSON(contentsOf: TestFiles.goldens + "/\(name).cases.json").arrayValue)
        #expect(cases.count > 300)
        for value in cases {
            let golden = try value.requireObject()
            let text = try golden.string("text")
            let pair = try golden.optionalString("pair")
            let encoding = try tokenizer.encode(text, pair: pair, try options(golden))
            for (key, array) in encoding.arrays(of: text, pair) {
                let expected = try golden.array(key).compactMap(\.intValue).map(Int32.init)
                #expect(
                    array == expected, "\(key) of \(JSON.string(text).serialized()) \(golden["truncation"] ?? .null)")
            }
            let decoded = try [true, false].map { try tokenizer.decode(encoding.ids, skipSpecialTokens: $0) }
            #expect(decoded.map { Array($0.utf8) } == (try golden.strings("decoded")).map { Array($0.utf8) })
        }
    }

    private func options(_ golden: JSONObject) throws -> Tokenizer.Options {
        var options = Tokenizer.Options(
            shortening: .none, addsSpecialTokens: try golden.optionalBool("plain") != true)
        if let truncation = try golden.optionalArray("truncation") {
            options.shortening = .to(
                Truncation(
                    maximumLength: try #require(truncation[0].intValue),
                    strategy: try #require(truncation[1].stringValue.flatMap(Truncation.Strategy.init)),
                    side: try #require(truncation[2].stringValue.flatMap(Truncation.Side.init))))
        }
        return options
    }
}
