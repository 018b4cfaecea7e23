import GraftTensor
import Testing

@testable import GraftTokenizers

@Suite("Any text is encoded or refused with a reason")
struct RobustnessTests {
    private let whole = Tokenizer.Options(shortening: .none)

    @Test("An empty text has only the added tokens", arguments: TestFiles.names)
    func empty(_ name: String) throws {
        let tokenizer = try TestFiles.tokenizer(name)
        #expect(try tokenizer.encode("", Tokenizer.Options(addsSpecialTokens: false)) == Encoding())
        let encoding = try tokenizer.encode("")
        #expect(encoding.specialTokensMask.allSatisfy { $0 })
        #expect(encoding.sequenceIDs.allSatisfy { $0 == -1 })
    }

    @Test("An id that no token has is refused by name, and has no text in a stream", arguments: TestFiles.names)
    func unknownID(_ name: String) throws {
        let tokenizer = try TestFiles.tokenizer(name)
        for id in [-1, Int32(tokenizer.largestID) + 1, .max, .min] {
            let error = #expect(throws: GraftError.self) { try tokenizer.decode([0, id]) }
            #expect(error?.code == .incompatible)
            let words = "token 1: id \(id) is outside the tokenizer's vocabulary of \(tokenizer.vocabularySize) tokens"
            #expect(error?.message == words)
            var stream = try TextStream(tokenizer)
            #expect(try stream.append(id) == "" && stream.finish() == "")
        }
    }

    @Test("A word of 100 kB is one unknown token")
    func longWord() throws {
        let encoding = try TestFiles.tokenizer("minilm").encode(String(repeating: "x", count: 100_000), whole)
        #expect(encoding.ids == [101, 100, 102])
        #expect(encoding.offsets[1] == TokenOffsets(0, 100_000))
    }

    @Test("A text of 1 MB is encoded whole, and the next one as always", arguments: TestFiles.names)
    func longText(_ name: String) throws {
        let tokenizer = try TestFiles.tokenizer(name)
        let sentence = "The quick brown fox, naïve as ever, jumps over the lazy dog. "
        let count = 1_000_000 / sentence.utf8.count
        let one = try tokenizer.encode(sentence, whole)
        let encoding = try tokenizer.encode(String(repeating: sentence, count: count), whole)
        #expect(encoding.count > 10 * count)
        #expect(Int(encoding.offsets.map(\.end).max() ?? 0) > (count - 1) * sentence.utf8.count)
        #expect(try tokenizer.encode(sentence, whole) == one)
    }

    @Test(
        "Ill-formed UTF-8 is refused with the position of the first wrong byte",
        arguments: [
            ([0xFF], 0), ([0x61, 0x80], 1), ([0x61, 0xC3], 1), ([0xE4, 0xB8], 0), ([0xED, 0xA0, 0x80], 0),
            ([0xC0, 0x80], 0), ([0xF4, 0x90, 0x80, 0x80], 0), (Array("longer than 16 bytes".utf8) + [0xFE], 20),
        ] as [([UInt8], Int)])
    func illFormed(_ bytes: [UInt8], _ position: Int) throws {
        let tokenizer = try TestFiles.tokenizer("minilm")
        let error = #expect(throws: GraftError.self) {
            try bytes.withUnsafeBufferPointer { _ = try tokenizer.encode($0, whole) }
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("byte \(position) of \(bytes.count)") == true, "\(error?.message ?? "")")
    }

    @Test("The second text is named when it is the one refused")
    func illFormedPair() throws {
        let tokenizer = try TestFiles.tokenizer("minilm")
        let good = Array("fine".utf8)
        let bad: [UInt8] = [0x61, 0xFF]
        let error = #expect(throws: GraftError.self) {
            try good.withUnsafeBufferPointer { good in
                try bad.withUnsafeBufferPointer { _ = try tokenizer.encode(good, pair: $0, whole) }
            }
        }
        #expect(error?.message.contains("second text") == true)
    }

    @Test("Offsets are in order, within the text and on characters", arguments: TestFiles.names)
    func offsets(_ name: String) throws {
        let tokenizer = try TestFiles.tokenizer(name)
        for text in ["a\0b \u{7}é\u{301} 한국 中文\u{200D}x", "\u{301}\u{323}", "🚀😶\u{200D}🌫️ İ", "\u{FFFD}\u{FFFD} ok"] {
            let bytes = Array(text.utf8)
            let encoding = try tokenizer.encode(text, Tokenizer.Options(shortening: .none, addsSpecialTokens: false))
            for offsets in encoding.offsets {
                #expect(0 <= offsets.start && offsets.start <= offsets.end && Int(offsets.end) <= bytes.count)
                for edge in [Int(offsets.start), Int(offsets.end)] where edge < bytes.count {
                    #expect(bytes[edge] & 0xC0 != 0x80, "\(edge) of \(text.debugDescription)")
                }
            }
            #expect(encoding.offsets.map(\.start) == encoding.offsets.map(\.start).sorted())
        }
    }

    @Test("Eight threads encode as one does")
    func threads() async throws {
        let tokenizer = try Tokenizer(tokenizerFile: TestFiles.path("minilm"))
        let texts = (0..<64).map { "Text number \($0), naïve 中文 한국 \($0 * 7919)" }
        let expected = try texts.map { try TestFiles.tokenizer("minilm").encode($0) }
        try await withThrowingTaskGroup(of: [Encoding].self) { group in
            for _ in 0..<8 { group.addTask { try texts.map { try tokenizer.encode($0) } } }
            for try await encodings in group { #expect(encodings == expected) }
        }
    }
}
