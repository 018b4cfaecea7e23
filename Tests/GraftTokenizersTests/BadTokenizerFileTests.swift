import GraftTensor
import Testing

@testable import GraftTokenizers

@Suite("A tokenizer.json that cannot be honoured is refused with a reason")
struct BadTokenizerFileTests {
    /// A small WordPiece tokenizer with one member replaced.
    private static func file(_ member: String = "", _ value: String = "") -> String {
        let members: [(String, String)] = [
            ("version", #""1.0""#), ("truncation", "null"), ("padding", "null"),
            (
                "added_tokens",
                #"[{"id":0,"content":"[UNK]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}]"#
            ),
            (
                "normalizer",
                #"{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true}"#
            ),
            ("pre_tokenizer", #"{"type":"BertPreTokenizer"}"#),
            ("post_processor", #"{"type":"BertProcessing","sep":["b",2],"cls":["a",1]}"#),
            ("decoder", ###"{"type":"WordPiece","prefix":"##","cleanup":true}"###),
            ("model", ###"{"type":"WordPiece","unk_token":"[UNK]","vocab":{"[UNK]":0,"a":1,"b":2,"##c":3}}"###),
        ]
        let texts = members.map { "\"\($0.0)\":" + ($0.0 == member ? value : $0.1) }
        return "{" + texts.joined(separator: ",") + "}"
    }

    private static func load(_ text: String) throws -> Tokenizer {
        try Array(text.utf8).withUnsafeBytes { bytes in
            try Tokenizer(tokenizer: bytes, source: "test.json")
        }
    }

    @Test("The file they vary is fine")
    func good() throws {
        #expect(try Self.load(Self.file()).encode("A bc x").ids == [1, 1, 2, 3, 0, 2])
    }

    private static let bad: [(member: String, value: String, code: GraftError.Code, message: String)] = [
        ("version", #""2.0""#, .unsupported, "expected version 1.0, found the string \"2.0\""),
        (
            "normalizer", #"{"type":"X"}"#, .unsupported,
            "the normalizer \"X\" is not supported: expected one of Bert"
        ),
        (
            "normalizer", #"{"type":"Precompiled","precompiled_charsmap":"AAAA"}"#, .corruptFile,
            "precompiled_charsmap: expected SentencePiece's map of characters in Base64"
        ),
        (
            "decoder", #"{"type":"CTC","pad_token":"a","word_delimiter_token":"","cleanup":true}"#, .corruptFile,
            "word_delimiter_token: expected a text that is not empty"
        ),
        ("normalizer", #"{}"#, .corruptFile, "normalizer: type: expected a string, it is missing"),
        ("normalizer", #"{"type":"BertNormalizer"}"#, .corruptFile, "lowercase: expected true or false, it is missing"),
        ("normalizer", "7", .corruptFile, "expected a JSON object, found the number 7"),
        ("pre_tokenizer", #"{"type":"X"}"#, .unsupported, "the pre-tokenizer \"X\" is not supported"),
        (
            "pre_tokenizer", #"{"type":"Sequence","pretokenizers":[null]}"#, .corruptFile,
            "expected a list of pre-tokenizers"
        ),
        ("post_processor", #"{"type":"X"}"#, .unsupported, "the post-processor \"X\" is not supported"),
        (
            "post_processor", #"{"type":"BertProcessing","sep":["b"],"cls":["a",1]}"#, .corruptFile,
            "sep: expected a token and its id"
        ),
        (
            "post_processor", #"{"type":"BertProcessing","sep":["b",-1],"cls":["a",1]}"#, .corruptFile,
            "sep: expected a token and its id"
        ),
        (
            "post_processor",
            #"{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"q","type_id":0}}],"pair":[],"special_tokens":{}}"#,
            .corruptFile, "expected one of the template's special_tokens"
        ),
        (
            "post_processor",
            #"{"type":"TemplateProcessing","single":[{"Sequence":{"id":"B","type_id":0}}],"pair":[],"special_tokens":{}}"#,
            .corruptFile, "expected a template without a second sequence"
        ),
        (
            "post_processor",
            #"{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":-7}}],"pair":[],"special_tokens":{}}"#,
            .corruptFile, "type_id: expected 0 or more"
        ),
        ("decoder", #"{"type":"X"}"#, .unsupported, "the decoder \"X\" is not supported"),
        ("truncation", #"{"max_length":-1,"strategy":"LongestFirst"}"#, .corruptFile, "max_length: expected 0 or more"),
        (
            "truncation", #"{"max_length":9,"strategy":"X"}"#, .corruptFile,
            "strategy: expected LongestFirst, OnlyFirst or"
        ),
        ("added_tokens", #"[{"id":0}]"#, .corruptFile, "content: expected a string, it is missing"),
        (
            "added_tokens",
            #"[{"id":9,"content":"z","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}]"#,
            .corruptFile, "the added token \"z\" has the id 9, expected the next one after the vocabulary, 4"
        ),
        (
            "added_tokens",
            #"[{"id":99999999999,"content":"z","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}]"#,
            .corruptFile, "id: expected 0 to 16777216"
        ),
        ("model", "null", .corruptFile, "expected an object"),
        ("model", "{}", .corruptFile, "model.vocab: expected a list of tokens with their scores"),
        (
            "model", #"{"type":"Unigram","vocab":{"a":0}}"#, .corruptFile,
            "model.vocab: expected a list of tokens with their scores"
        ),
        ("model", #"{"type":"BPE","vocab":[["a",0]]}"#, .corruptFile, "expected an object of tokens with their ids"),
        ("model", #"{"type":"Unigram","vocab":[["a"]]}"#, .corruptFile, "expected a token and its score"),
        ("model", #"{"type":"Unigram","vocab":[["a",0,0]]}"#, .corruptFile, "expected a token and its score"),
        ("model", #"{"type":"Unigram","vocab":[["a",null]]}"#, .corruptFile, "expected a number"),
        (
            "model", #"{"type":"Unigram","vocab":[["a",-1e400]]}"#, .corruptFile,
            "the number -1e400 is out of range"
        ),
        (
            "model", #"{"type":"Unigram","unk_id":1,"vocab":[["a",0]]}"#, .corruptFile,
            "unk_id: expected the place of one of the 1 tokens"
        ),
        (
            "pre_tokenizer",
            #"{"type":"Split","pattern":{"Regex":"(a)\\1"},"behavior":"Isolated","invert":false}"#, .unsupported,
            #"the regular expression "(a)\1" has a back reference or octal number \1, which is not supported"#
        ),
        (
            "pre_tokenizer",
            #"{"type":"Split","pattern":{"Regex":"[a"},"behavior":"Isolated","invert":false}"#, .corruptFile,
            #"the regular expression "[a" has a bracket without an end, which is not valid"#
        ),
        (
            "added_tokens",
            #"[{"id":4,"content":"\u0007","single_word":false,"lstrip":false,"rstrip":false,"normalized":true,"special":true}]"#,
            .unsupported, "the normalizer leaves nothing of the added token"
        ),
        (
            "model", #"{"type":"WordPiece","vocab":{"a":-1}}"#, .corruptFile,
            "the token \"a\" has the id -1: expected 0 to"
        ),
        ("model", #"{"type":"WordPiece","vocab":{"a":99999999}}"#, .corruptFile, "has the id 99999999: expected 0 to"),
        ("model", #"{"type":"WordPiece","vocab":{"a":1.5}}"#, .corruptFile, "expected an integer"),
        ("model", #"{"type":"WordPiece","type":"BPE","vocab":{}}"#, .corruptFile, "two members called type"),
        ("model", #"{"type":"Unigram","vocab":[["a",0]],"vocab":{"x":5}}"#, .corruptFile, "two members called vocab"),
        (
            "model", #"{"type":"WordPiece","max_input_chars_per_word":-1,"vocab":{"[UNK]":0}}"#, .corruptFile,
            "max_input_chars_per_word: expected 0 or more"
        ),
    ]

    @Test("Members with wrong values", arguments: bad.indices)
    func wrongMember(_ index: Int) {
        let (member, value, code, message) = Self.bad[index]
        let error = #expect(throws: GraftError.self) { try Self.load(Self.file(member, value)) }
        #expect(error?.code == code, "\(member) = \(value)")
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "no error") for \(member) = \(value)")
    }

    @Test("A file cut short anywhere")
    func truncated() {
        let text = Self.file()
        for length in 0..<text.utf8.count {
            #expect(throws: GraftError.self) { try Self.load(String(text.prefix(length))) }
        }
    }

    @Test("A map of characters that points beyond its end is an error")
    func damagedMap() throws {
        // One unit, whose offset leads to itself, and no texts.
        let tokenizer = try Self.load(
            Self.file("normalizer", #"{"type":"Precompiled","precompiled_charsmap":"BAAAAAAAAAA="}"#))
        let error = #expect(throws: GraftError.self) { try tokenizer.encode("a") }
        #expect(error?.code == .corruptFile && error?.message.contains("points beyond its end") == true)
    }

    @Test("A character that is unknown to Unigram without an unknown token is an error")
    func noUnknownPiece() throws {
        let tokenizer = try Array(#"{"model":{"type":"Unigram","vocab":[["a",0],["ab",-1]]}}"#.utf8).withUnsafeBytes {
            try Tokenizer(tokenizer: $0, source: "test.json")
        }
        #expect(try tokenizer.encode("aab").ids == [0, 1])
        let error = #expect(throws: GraftError.self) { try tokenizer.encode("ac") }
        #expect(error?.code == .incompatible && error?.message.contains("unk_id") == true)
    }

    @Test("A word that is unknown where the vocabulary has no unknown token is an error, not a wrong id")
    func noUnknownToken() throws {
        let tokenizer = try Self.load(
            Self.file("model", #"{"type":"WordPiece","unk_token":"?","vocab":{"[UNK]":0,"a":1}}"#))
        #expect(try tokenizer.encode("a a", Tokenizer.Options(addsSpecialTokens: false)).ids == [1, 1])
        let error = #expect(throws: GraftError.self) { try tokenizer.encode("b") }
        #expect(error?.code == .incompatible)
    }
}
