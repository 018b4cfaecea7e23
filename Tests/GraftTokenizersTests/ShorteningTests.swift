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

    @Test("A folder declares one maximum: sentence-transformers', else tokenizer_config.json's, else tokenizer.json's")
    func declared() throws {
        let file =
            #"{"version": "1.0", "truncation": \#(truncation), "model": {"type": "WordLevel", "unk_token": "?", "#
            + #""vocab": {"?": 0, "word": 1}}, "pre_tokenizer": {"type": "Whitespace"}}"#
        let sentences = "sentence_bert_config.json"
        let configuration = "tokenizer_config.json"
        for (files, expected) in [
            ([:], 9), ([configuration: #"{"model_max_length": 7}"#], 7),
            ([configuration: #"{"model_max_length": 7.0}"#], 7),
            // What transformers writes for no limit is none: the next that says something counts.
            ([configuration: #"{"model_max_length": 1000000000000000019884624838656}"#], 9),
            ([configuration: #"{"model_max_length": null}"#, sentences: "{}"], 9),
            ([configuration: #"{"model_max_length": 7}"#, sentences: #"{"max_seq_length": 5}"#], 5),
            ([configuration: #"{"model_max_length": 7}"#, sentences: #"{"max_seq_length": null}"#], 7),
            ([sentences: "{}", "sentence_roberta_config.json": #"{"max_seq_length": 4}"#], 4),
        ] as [([String: String], Int)] {
            let folder = try TemporaryFolder()
            try folder.write(file, as: "tokenizer.json")
            for (name, text) in files { try folder.write(text, as: name) }
            let tokenizer = try Tokenizer(folder: folder.path)
            #expect(tokenizer.maximumLength() == expected, "\(files)")
            let encoding = try tokenizer.encode(text)
            #expect(encoding.count == expected && encoding.isTruncated)
            #expect(try tokenizer.encode(text, Tokenizer.Options(maximumLength: 20)).count == 20)
            let whole = try tokenizer.encode(text, Tokenizer.Options(maximumLength: Tokenizer.unlimited))
            #expect(whole.count == 400 && !whole.isTruncated)
        }
        for (name, text, key) in [
            (configuration, #"{"model_max_length": 0}"#, "model_max_length"),
            (configuration, #"{"model_max_length": "512"}"#, "model_max_length"),
            (configuration, #"{"model_max_length": 1.5}"#, "model_max_length"),
            (configuration, #"{"truncation_side": "middle"}"#, "truncation_side"),
            (sentences, #"{"max_seq_length": -1}"#, "max_seq_length"),
        ] {
            let folder = try TemporaryFolder()
            try folder.write(file, as: "tokenizer.json")
            try folder.write(text, as: name)
            let error = #expect(throws: GraftError.self) { try Tokenizer(folder: folder.path) }
            #expect(error?.code == .corruptFile && error?.message.contains(key) == true)
            #expect(error?.message.contains(name) == true, "\(error?.message ?? "")")
        }
    }

    private let truncation = #"{"max_length": 9, "strategy": "LongestFirst", "direction": "Right", "stride": 0}"#

    @Test("truncation_side is the side of every limit, and do_lower_case puts text in lower case")
    func sideAndCase() throws {
        let folder = try TemporaryFolder()
        try folder.write("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nc\nd\nE\ne\n", as: "vocab.txt")
        try folder.write(#"{"truncation_side": "left", "do_lower_case": false}"#, as: "tokenizer_config.json")
        let cased = try Tokenizer(folder: folder.path)
        #expect(try cased.encode("a b c d E", Tokenizer.Options(maximumLength: 4)).ids == [2, 7, 8, 3])
        try folder.write(#"{"max_seq_length": 5, "do_lower_case": true}"#, as: "sentence_bert_config.json")
        let lower = try Tokenizer(folder: folder.path)
        #expect(try lower.encode("a b c d E").ids == [2, 6, 7, 9, 3])
    }

    @Test("A text is cut exactly when it has more tokens than the limit, and unknown tokens are those that stay")
    func counts() throws {
        let tokenizer = try TestFiles.tokenizer("minilm")
        for special in [true, false] {
            let whole = try tokenizer.encode(
                "one two 🜚 three ⟁ four", Tokenizer.Options(shortening: .none, addsSpecialTokens: special))
            #expect(whole.unknownCount == 2 && !whole.isTruncated)
            for limit in 3...whole.count + 2 {
                let options = Tokenizer.Options(maximumLength: limit, addsSpecialTokens: special)
                let cut = try tokenizer.encode("one two 🜚 three ⟁ four", options)
                #expect(cut.isTruncated == (limit < whole.count), "\(limit) of \(whole.count)")
                #expect(cut.unknownCount == cut.ids.count { $0 == 100 })
                let pair = try tokenizer.encode("one", pair: "two three 🜚", options)
                #expect(pair.isTruncated == (limit < (special ? 7 : 4)), "a pair and \(limit)")
                // The next single text knows nothing of the pair before it.
                #expect(try !tokenizer.encode("one", options).isTruncated)
            }
        }
        let bytes = try TestFiles.tokenizer("gpt2").encode("🜚 ⟁")
        #expect(bytes.unknownCount == 0)
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
