import GraftTensor
import Testing

@testable import GraftTokenizers

@Suite("Text that is not UTF-8, with replacement")
struct ReplacementTests {
    private static let options: Tokenizer.Options = {
        var options = Tokenizer.Options(shortening: .none)
        options.replacesInvalidUTF8 = true
        return options
    }()

    /// Bytes that often begin, go on with or break characters.
    private static func bytes(_ random: inout RandomNumbers) -> [UInt8] {
        let pieces: [[UInt8]] = [
            Array("word ".utf8), Array("é".utf8), Array("中".utf8), Array("👍".utf8), [0], [0x80], [0xC0], [0xC3], [0xE0],
            [0xE2, 0x82], [0xED, 0xA0], [0xF0, 0x9F, 0x91], [0xF4, 0x90], [0xFF], [0xEF, 0xBF, 0xBD], [0x41],
        ]
        return (0..<random.next() % 24).flatMap { _ in pieces[Int(random.next() % UInt64(pieces.count))] }
    }

    private func encode(
        _ tokenizer: Tokenizer, _ text: [UInt8], _ pair: [UInt8]
    ) throws -> (encoding: Encoding, characters: [TokenOffsets]) {
        try text.withUnsafeBufferPointer { text in
            try pair.withUnsafeBufferPointer { pair in
                let encoding = try tokenizer.encode(text, pair: pair, Self.options)
                return (encoding, encoding.characterOffsets(in: text, pair: pair))
            }
        }
    }

    @Test("A text is encoded as with U+FFFD where the standard library has it", arguments: TestFiles.names)
    func replaced(_ name: String) throws {
        let tokenizer = try TestFiles.tokenizer(name)
        var random = RandomNumbers(seed: 7, stream: "bytes")
        for _ in 0..<300 {
            let (text, pair) = (Self.bytes(&random), Self.bytes(&random))
            let found = try encode(tokenizer, text, pair)
            let expected = try encode(
                tokenizer, Array(String(decoding: text, as: UTF8.self).utf8),
                Array(String(decoding: pair, as: UTF8.self).utf8))
            #expect(found.encoding.ids == expected.encoding.ids, "\(text), \(pair)")
            #expect(found.encoding.wordIDs == expected.encoding.wordIDs)
            #expect(found.characters == expected.characters, "\(text), \(pair)")
            for (offsets, sequence) in zip(found.encoding.offsets, found.encoding.sequenceIDs) {
                let count = sequence == 1 ? pair.count : text.count
                #expect(0 <= offsets.start && offsets.start <= offsets.end && offsets.end <= count, "\(text), \(pair)")
            }
        }
    }

    @Test("Offsets are those of the bytes that a token stands for")
    func offsets() throws {
        let tokenizer = try TestFiles.tokenizer("gpt2")
        // "a", two bytes that begin a character, " b"
        let found = try encode(tokenizer, [0x61, 0xE2, 0x82, 0x20, 0x62], []).encoding
        let ofA = try #require(found.offsets.first)
        let last = try #require(found.offsets.last)
        #expect(ofA == TokenOffsets(0, 1))
        #expect(last == TokenOffsets(3, 5) || last == TokenOffsets(4, 5))
        #expect(found.offsets.dropFirst().dropLast().allSatisfy { $0 == TokenOffsets(1, 3) })
    }

    @Test("Without replacement the message names the first byte that is wrong")
    func refused() throws {
        let text: [UInt8] = [0x61, 0xC3, 0xA9, 0xE2, 0x82]
        let tokenizer = try TestFiles.tokenizer("minilm")
        let error = #expect(throws: GraftError.self) { try text.withUnsafeBufferPointer { try tokenizer.encode($0) } }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message == "the text is not UTF-8: byte 3 of 5, 226, starts no valid character")
    }
}
