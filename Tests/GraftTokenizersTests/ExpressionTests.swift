import GraftFormats
import GraftTensor
import Testing

@testable import GraftTokenizers

/// Regular expressions against where Hugging Face `tokenizers` 0.23.3 cuts texts with them.
@Suite("Regular expressions match as in tokenizers 0.23.3")
struct ExpressionTests {
    private static func goldens() throws -> JSONObject {
        try JSON(contentsOf: TestFiles.goldens + "/expressions.json").requireObject()
    }

    private static func spans(of pattern: String, in text: [UInt8]) throws -> [MatchSpan] {
        let expression = try TextExpression(pattern)
        return try text.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress, !bytes.isEmpty else { return [] }
            var spans = Buffer<MatchSpan>()
            let view = TextView(base: base, count: bytes.count, alignment: nil)
            try expression.appendSpans(view, 0..<bytes.count, to: &spans)
            return Array(spans.elements)
        }
    }

    @Test("Texts are cut at the same places")
    func pieces() throws {
        let goldens = try Self.goldens()
        let texts = try goldens.strings("texts")
        let patterns = try goldens.object("pieces")
        #expect(patterns.count > 60 && texts.count > 8)
        for (pattern, expected) in patterns {
            for (text, ends) in zip(texts, expected.arrayValue ?? []) {
                let found = try Self.spans(of: pattern, in: Array(text.utf8)).filter { $0.start < $0.end }
                    .map { String(decoding: Array(text.utf8)[..<Int($0.end)], as: UTF8.self).unicodeScalars.count }
                #expect(found == ends.arrayValue?.compactMap(\.intValue), "\(pattern) in \(text.debugDescription)")
            }
        }
    }

    @Test("What cannot be exact is refused by name")
    func refused() throws {
        for (pattern, words) in try Self.goldens().object("refused") {
            let error = #expect(throws: GraftError.self) { try TextExpression(pattern) }
            let message = error?.message ?? ""
            #expect(message.contains(words.stringValue ?? "?") && message.contains(pattern), "\(pattern): \(message)")
        }
    }

    @Test("Classes hold the same scalars, over all of Unicode")
    func classes() throws {
        let scalars = (UInt32(0)..<0x110000).compactMap { Unicode.Scalar($0) }
        var text: [UInt8] = []
        for scalar in scalars { text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter) }
        var places: [Int] = []
        for (index, byte) in text.enumerated() where byte & 0xC0 != 0x80 { places.append(index) }
        let lines = try TestFiles.lines(TestFiles.goldens + "/classes.tsv")
        #expect(lines.count > 90)
        for number in stride(from: 0, to: lines.count, by: TestFiles.sampleStep) {
            let fields = lines[number].split(separator: "\t").map(String.init)
            var hash: UInt64 = 0
            var count = 0
            var next = 0
            for span in try Self.spans(of: "(?:\(fields[0]))+", in: text) {
                while next < places.count, places[next] < Int(span.end) {
                    if span.isMatch {
                        hash = GoldenHash.chain(hash, UInt64(scalars[next].value))
                        count += 1
                    }
                    next += 1
                }
            }
            #expect(String(count) == fields[1] && GoldenHash.hexadecimal(hash) == fields[2], "\(fields[0])")
        }
    }

    @Test("A text of any length is searched, and a pattern that looks back too far is an error")
    func long() throws {
        let text = Array(String(repeating: "aé", count: 200_000).utf8)
        #expect(try Self.spans(of: "(?:a|é)+", in: text).count == 1)
        #expect(try Self.spans(of: "é", in: text).count == 400_000)
        let deep = String(repeating: "(", count: 70) + "a" + String(repeating: ")", count: 70)
        #expect(throws: GraftError.self) { try TextExpression(deep) }
        #expect(throws: GraftError.self) { try TextExpression(String(repeating: "[", count: 70) + "a") }
        let many = (0..<300).map { "\\x{\(String(0x4E00 + $0, radix: 16))}" }.joined(separator: "|")
        let error = #expect(throws: GraftError.self) { try TextExpression(many) }
        #expect(error?.message.contains("more than 256 kinds of characters") == true)
    }
}
