import GraftTensor
import Testing

@testable import GraftTokenizers

/// Byte fallback of prefixes and suffixes, which are in no text.
@Suite("Offsets lie within the text, whatever a file adds to words")
struct OverrunTests {
    private static func tokenizer(_ settings: String, normalizer: String = "null") throws -> Tokenizer {
        let bytes = (0..<256).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return "\"<0x\(digits.count == 1 ? "0" : "")\(digits)>\":\(byte)"
        }
        let file =
            #"{"version":"1.0","added_tokens":[],"normalizer":\#(normalizer),"pre_tokenizer":{"type":"WhitespaceSplit"},"#
            + #""model":{"type":"BPE","byte_fallback":true,"merges":[],\#(settings),"vocab":{\#(bytes.joined(separator: ","))}}}"#
        return try Array(file.utf8).withUnsafeBytes { try Tokenizer(tokenizer: $0, source: "test.json") }
    }

    private static func offsets(_ tokenizer: Tokenizer, _ text: String) throws -> [[Int32]] {
        let encoding = try tokenizer.encode(text)
        let isTheSame = try tokenizer.encode(text) == encoding
        #expect(isTheSame)
        let count = text.utf8.count
        let areWithin = encoding.offsets.allSatisfy { 0 <= $0.start && $0.start <= $0.end && Int($0.end) <= count }
        #expect(areWithin)
        return encoding.offsets.map { [$0.start, $0.end] }
    }

    @Test("A suffix that falls back to bytes stands at the end of the text, or where tokenizers 0.23.3 puts it")
    func suffix() throws {
        let tokenizer = try Self.tokenizer(#""end_of_word_suffix":"</w>""#, normalizer: #"{"type":"Lowercase"}"#)
        #expect(try Self.offsets(tokenizer, "Ab") == [[0, 1], [1, 2], [2, 2], [2, 2], [2, 2], [2, 2]])
        // Beyond its word a token counts from it.
        #expect(
            try Self.offsets(tokenizer, "ab cd")
                == [
                    [0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [5, 5], [3, 4], [4, 5], [2, 3], [3, 4], [4, 5], [5, 5],
                ])
        #expect(try tokenizer.encode("Ab").ids == [0x61, 0x62, 0x3C, 0x2F, 0x77, 0x3E])
    }

    @Test("A prefix that falls back to bytes, too")
    func prefix() throws {
        let tokenizer = try Self.tokenizer(#""continuing_subword_prefix":"é""#)
        #expect(try Self.offsets(tokenizer, "ab") == [[0, 1], [1, 2], [2, 2], [2, 2]])
        #expect(try Self.offsets(tokenizer, "é") == [[0, 2], [0, 2]])
    }

    @Test(
        "No length of a prefix or suffix ends the process",
        arguments: ["end_of_word_suffix", "continuing_subword_prefix"])
    func long(_ key: String) throws {
        let tokenizer = try Self.tokenizer("\"\(key)\":\"\(String(repeating: "x", count: 3_000_000))\"")
        #expect(try Self.offsets(tokenizer, "Ab").count == 3_000_002)
        // So many words would take more than there is.
        let error = #expect(throws: GraftError.self) {
            try tokenizer.encode(String(repeating: "ab ", count: 1_000_000))
        }
        #expect(error?.message.contains("3000000 bytes") == true, "\(error?.message ?? "")")
    }

    @Test("No length of what a normalizer writes ends the process")
    func replacement() throws {
        let content = String(repeating: "y", count: 200_000)
        for normalizer in [
            #"{"type":"Prepend","prepend":"\#(content)"}"#,
            #"{"type":"Replace","pattern":{"String":"b"},"content":"\#(content)"}"#,
        ] {
            let tokenizer = try Self.tokenizer(#""unk_token":null"#, normalizer: normalizer)
            #expect(try Self.offsets(tokenizer, "ab").count > 200_000)
        }
        let tokenizer = try Self.tokenizer(
            #""unk_token":null"#, normalizer: #"{"type":"Replace","pattern":{"String":"b"},"content":"\#(content)"}"#)
        #expect(throws: GraftError.self) { try tokenizer.encode(String(repeating: "b", count: 20_000)) }
    }
}
