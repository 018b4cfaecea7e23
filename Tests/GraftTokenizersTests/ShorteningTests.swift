import GraftTensor
import Testing

@testable import GraftTokenizers

@Suite("Texts that are too long are shortened as asked")
struct ShorteningTests {
    private let text = String(repeating: "word ", count: 400)

    @Test("As the file says: 128 for MiniLM")
    func asFile() throws {
        let tokenizer = try TestFiles.tokenizer("minilm")
        #expect(tokenizer.truncation == Truncation(maximumLength: 128))
        #expect(try tokenizer.encode(text).count == 128)
        #expect(try tokenizer.encode(text, Tokenizer.Options(shortening: .none)).count == 402)
        #expect(try tokenizer.encode(text, Tokenizer.Options(maximumLength: 300)).count == 300)
        #expect(try tokenizer.encode(text, Tokenizer.Options(maximumLength: nil)).count == 128)
    }

    @Test("A maximum with no room for the added tokens is refused")
    func noRoom() throws {
        let tokenizer = try TestFiles.tokenizer("minilm")
        #expect(try tokenizer.encode(text, Tokenizer.Options(maximumLength: 2)).ids == [101, 102])
        let error = #expect(throws: GraftError.self) { try tokenizer.encode(text, Tokenizer.Options(maximumLength: 1)) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message == "a maximum of 1 tokens leaves no room for the 2 that are added")
    }

    @Test("Only the second text can be shortened where there is one")
    func onlySecond() throws {
        let tokenizer = try TestFiles.tokenizer("minilm")
        let options = Tokenizer.Options(shortening: .to(Truncation(maximumLength: 10, strategy: .onlySecond)))
        #expect(throws: GraftError.self) { try tokenizer.encode(text, options) }
        #expect(throws: GraftError.self) { try tokenizer.encode(text, pair: "short", options) }
        #expect(try tokenizer.encode("short", pair: text, options).count == 10)
    }
}
