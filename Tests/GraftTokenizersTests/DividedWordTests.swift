import Testing

@testable import GraftTokenizers

@Suite("Words, whatever the tokenizer divides at")
struct DividedWordTests {
    /// The texts of the words of `text`, or of a pair.
    private static func words(_ name: String, _ text: String, pair: String? = nil) throws -> [String] {
        let bytes = [text, pair ?? ""].map { Array($0.utf8) }
        let encoding = try TestFiles.tokenizer(name).encode(text, pair: pair)
        let numbers = bytes[0].withUnsafeBufferPointer { text in
            bytes[1].withUnsafeBufferPointer { encoding.dividedWordIDs(in: text, pair: $0) }
        }
        #expect(numbers.count == encoding.count)
        #expect(zip(numbers, encoding.sequenceIDs).allSatisfy { $0 < 0 || $1 >= 0 })
        return (0..<(numbers.max() ?? -1) + 1).map { word in
            let tokens = numbers.indices.filter { numbers[$0] == word }
            let start = Int(encoding.offsets[tokens[0]].start)
            let end = Int(encoding.offsets[tokens[tokens.count - 1]].end)
            let own = bytes[Int(encoding.sequenceIDs[tokens[0]])][start..<end]
            return String(String(decoding: own, as: UTF8.self).drop { $0 == " " })
        }
    }

    @Test(
        "What is a word to a tokenizer that divides at blanks is divided at punctuation, and token by token in Chinese")
    func divided() throws {
        let text = "Paris/London (Reuters): the well-known Zoë said 我们在北京，“王小明”。"
        let expected = [
            "Paris", "/", "London", "(", "Reuters", "):", "the", "well", "-", "known", "Zoë", "said", "我们", "在北京", "，",
            "“", "王", "小", "明", "”。",
        ]
        #expect(try Self.words("me5", text) == expected, "a blank before Chinese, a token of its own, is of no word")
    }

    @Test("Tokens that share a character are of one word, and those of a byte-level tokenizer are divided as well")
    func bytes() throws {
        let words = try Self.words("gpt2", "Tokyo 東京都に住む don't")
        #expect(words.joined() == "Tokyo東京都に住むdon't")
        #expect(words.first == "Tokyo" && words.suffix(2) == ["don", "'t"])
        #expect(words.dropFirst().dropLast(2).allSatisfy { !$0.contains("\u{FFFD}") })
        #expect(words.count > 5)
    }

    @Test("Where the tokenizer's words are short enough they are the tokenizer's, and a pair's go on")
    func same() throws {
        let (text, pair) = ("Zoë's plants weren't watered, 3.5% of 北京 (again)", "unbelievable!")
        let encoding = try TestFiles.tokenizer("minilm").encode(text, pair: pair)
        let numbers = Array(text.utf8).withUnsafeBufferPointer { text in
            Array(pair.utf8).withUnsafeBufferPointer { encoding.dividedWordIDs(in: text, pair: $0) }
        }
        let last = zip(encoding.wordIDs, encoding.sequenceIDs).filter { $0.1 == 0 }.map(\.0).max() ?? 0
        let expected = zip(encoding.wordIDs, encoding.sequenceIDs).map { $1 == 1 ? $0 + last + 1 : $0 }
        #expect(numbers == expected)
    }

    @Test("White space at the ends of a stretch is left out, of any kind and of no more than the stretch")
    func blanks() {
        func found(_ text: String, _ range: Range<Int>) -> [Int]? {
            Array(text.utf8).withUnsafeBufferPointer { text in
                withoutBlanks(range, in: text).map { [$0.range.lowerBound, $0.range.upperBound, $0.before, $0.after] }
            }
        }
        #expect(found(" Paris", 0..<6) == [1, 6, 1, 0])
        #expect(found("\u{3000}北京\u{3000} ", 0..<13) == [3, 9, 1, 2])
        #expect(found("a b", 0..<2) == [0, 1, 0, 1] && found("a b", 2..<9) == [2, 9, 0, 0])
        #expect(found(" \n", 0..<2) == nil && found("ab", 1..<1) == nil)
        let illFormed: [UInt8] = [0x20, 0x80, 0x20, 0xE3, 0x80]
        illFormed.withUnsafeBufferPointer { text in
            #expect(withoutBlanks(0..<3, in: text)?.range == 1..<2 && withoutBlanks(0..<5, in: text)?.range == 1..<5)
        }
    }

    @Test("Bytes that are no text, and none, have words, too")
    func illFormed() throws {
        var options = Tokenizer.Options()
        options.replacesInvalidUTF8 = true
        for bytes: [UInt8] in [
            [], [0xE4, 0xB8], [0x80, 0xE4, 0xB8, 0xAD, 0xE4], [0x61, 0xFF, 0xE4, 0xB8, 0xAD, 0x2F, 0xC0],
        ] {
            for name in TestFiles.names {
                let tokenizer = try TestFiles.tokenizer(name)
                try bytes.withUnsafeBufferPointer { text in
                    let encoding = try tokenizer.encode(text, pair: nil, options)
                    let numbers = encoding.dividedWordIDs(in: text)
                    #expect(numbers.filter { $0 >= 0 } == numbers.filter { $0 >= 0 }.sorted())
                }
            }
        }
    }
}
