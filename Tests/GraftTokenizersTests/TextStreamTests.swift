import GraftTensor
import Testing

@testable import GraftTokenizers

@Suite("Text comes out of a stream of tokens in whole characters")
struct TextStreamTests {
    private static let texts = [
        "Once upon a time, there was a naïve café.", "中文与 English 混合 🚀😶\u{200D}🌫️!", "  two  spaces\n\nand lines ",
        "한국어 ｆｕｌｌ e\u{301}\u{323} \u{0}\u{7}", "", "🚀",
    ]

    @Test("The pieces, end to end, are the decoded text", arguments: TestFiles.names, texts)
    func law(_ name: String, _ text: String) throws {
        let tokenizer = try TestFiles.tokenizer(name)
        let ids = try tokenizer.encode(text, Tokenizer.Options(shortening: .none)).ids
        for skips in [true, false] {
            var stream = try TextStream(tokenizer, skipSpecialTokens: skips)
            var pieces = try ids.map { try stream.append($0) }
            pieces.append(try stream.finish())
            #expect(bytes(pieces.joined()) == bytes(try tokenizer.decode(ids, skipSpecialTokens: skips)))
            #expect(!pieces.dropLast().joined().unicodeScalars.contains("\u{FFFD}"))
        }
    }

    @Test("A character of several tokens is held back until its last")
    func heldBack() throws {
        let tokenizer = try TestFiles.tokenizer("gpt2")
        let ids = try tokenizer.encode("𓀀").ids
        #expect(ids.count > 1)
        var stream = try TextStream(tokenizer)
        for id in ids.dropLast() { #expect(try stream.append(id) == "") }
        #expect(try stream.append(ids[ids.count - 1]) == "𓀀")
        #expect(try stream.finish() == "")
    }

    @Test("Bytes that never become a character come out at the end, and nothing waits for ever")
    func neverComplete() throws {
        let tokenizer = try TestFiles.tokenizer("gpt2")
        let first = try tokenizer.encode("𓀀").ids[0]
        var stream = try TextStream(tokenizer)
        #expect(try stream.append(first) == "")
        #expect(try stream.finish() == "\u{FFFD}")
        #expect(try stream.append(try #require(tokenizer.id(for: "Hello"))) == "Hello")
        let pieces = try (0..<1000).map { _ in try stream.append(first) }
        #expect(pieces.contains { !$0.isEmpty })
    }
}

/// Strings compare by what they mean; these by what they are.
private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
