import Glibc
import GraftFormats
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTokenizers

@Suite("A model folder's tokenizer")
struct FolderTests {
    @Test("The special tokens are known by their parts")
    func specialTokens() throws {
        let tokenizer = try Tokenizer(folder: TestData.model("minilm"))
        let special = tokenizer.specialTokens
        #expect(special.padding == 0 && special.unknown == 100 && special.classification == 101)
        #expect(special.separator == 102 && special.mask == 103)
        #expect(special.beginning == nil && special.end == nil)
        #expect(tokenizer.vocabularySize == 30522 && tokenizer.largestID == 30521)
        #expect(tokenizer.token(for: 2088) == "world" && tokenizer.id(for: "world") == 2088)
        #expect(tokenizer.token(for: 30522) == nil && tokenizer.token(for: -1) == nil)
        #expect(tokenizer.id(for: "no such token") == nil)
        #expect(tokenizer.isSpecial(101) && !tokenizer.isSpecial(2088))
    }

    @Test("vocab.txt alone makes the same tokenizer")
    func vocabularyFile() throws {
        let folder = try TemporaryFolder()
        try folder.copy(TestData.model("minilm/vocab.txt"), as: "vocab.txt")
        let plain = try Tokenizer(folder: folder.path)
        let full = try TestFiles.tokenizer("minilm")
        let options = Tokenizer.Options(shortening: .none)
        for text in ["Hello, World!", "naïve 中文 [MASK] unaffable", ""] {
            #expect(try plain.encode(text, options) == full.encode(text, options))
            #expect(try plain.encode(text, pair: "b", options) == full.encode(text, pair: "b", options))
        }
        #expect(try plain.decode([101, 7592, 1010, 2088, 102]) == "hello, world")
    }

    @Test("vocab.json and merges.txt make the tokenizer of GPT-2, or RoBERTa's")
    func bytes() throws {
        let folder = try TemporaryFolder()
        for name in ["vocab.json", "merges.txt"] {
            try folder.copy(TestData.path("tokenizers/gpt2/" + name), as: name)
        }
        let (plain, full) = (try Tokenizer(folder: folder.path), try TestFiles.tokenizer("gpt2"))
        let options = Tokenizer.Options(shortening: .none)
        let texts = ["Hello, World! It's  12", "naïve 中文<|endoftext|> 😀\n", ""]
        for text in texts {
            #expect(try plain.encode(text, options).ids == full.encode(text, options).ids)
            #expect(try plain.decode(plain.encode(text, options).ids) == full.decode(full.encode(text, options).ids))
        }
        var vocabulary = try JSON(contentsOf: TestData.path("tokenizers/gpt2/vocab.json")).requireObject()
        for token in ["<s>", "</s>", "<mask>"] { vocabulary[token] = .integer(vocabulary.count) }
        try folder.write(JSON.object(vocabulary).serialized(), as: "vocab.json")
        try folder.write(#"{"model_type": "roberta"}"#, as: "config.json")
        let roberta = try Tokenizer(folder: folder.path)
        let inner = try full.encode(texts[0], options).ids
        #expect(try roberta.encode(texts[0], options).ids == [50257] + inner + [50258])
        #expect(try roberta.encode("a", pair: "a", options).ids == [50257, 64, 50258, 50258, 64, 50258])
        try folder.write(#"{"tokenizer_class": "CodeGenTokenizer"}"#, as: "tokenizer_config.json")
        let error = #expect(throws: GraftError.self) { try Tokenizer(folder: folder.path) }
        #expect(error?.code == .unsupported && error?.message.contains("CodeGenTokenizer") == true)
    }

    @Test("tokenizer_config.json says how to normalise beside a vocab.txt")
    func vocabularyFileWithCase() throws {
        let folder = try TemporaryFolder()
        try folder.write("[PAD]\n[UNK]\n[CLS]\n[SEP]\nWorld\nworld\r\n中文\nl'été\n", as: "vocab.txt")
        try folder.write(
            #"{"do_lower_case": false, "tokenize_chinese_chars": false, "pad_token": {"content": "[UNK]"}}"#,
            as: "tokenizer_config.json")
        let tokenizer = try Tokenizer(folder: folder.path)
        #expect(try tokenizer.encode("World world 中文 中").ids == [2, 4, 5, 6, 1, 3])
        #expect(tokenizer.specialTokens.padding == 1)
    }

    /// BERT's words, without what would normalise them, and a folder that says how.
    private static func folder(_ configuration: String, file: String? = nil) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "A", "\u{e9}", "e", "new"]
        if file == nil {
            try folder.write(words.map { $0 + "\n" }.joined(), as: "vocab.txt")
        } else {
            let entries = words.enumerated().map { "\"\($1)\":\($0)" }.joined(separator: ",")
            try folder.write(
                #"{"version":"1.0","added_tokens":[],"normalizer":{"type":"BertNormalizer","clean_text":true,"#
                    + #""handle_chinese_chars":true,"strip_accents":null,"lowercase":true},"#
                    + #""pre_tokenizer":{"type":"BertPreTokenizer"},"#
                    + #""post_processor":{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]},"#
                    + ###""decoder":{"type":"WordPiece","prefix":"##","cleanup":true},"###
                    + #""model":{"type":"WordPiece","unk_token":"[UNK]","vocab":{\#(entries)}}}"#, as: "tokenizer.json")
        }
        try folder.write(configuration, as: "tokenizer_config.json")
        return folder
    }

    @Test("The files beside a tokenizer say the same of either kind of file", arguments: [nil, "tokenizer.json"])
    func settings(_ file: String?) throws {
        let cased = try Self.folder(
            #"{"tokenizer_class": "BertTokenizer", "do_lower_case": false, "strip_accents": true}"#, file: file)
        #expect(try Tokenizer(folder: cased.path).encode("A a \u{e9} [MASK]").ids == [2, 6, 5, 8, 4, 3])
        let listed = try Self.folder(
            #"{"tokenizer_class": "BertTokenizer", "added_tokens_decoder": {"10": {"content": "[NEW]", "special": true}}}"#,
            file: file)
        try listed.write(#"{"additional_special_tokens": ["new"]}"#, as: "special_tokens_map.json")
        let tokenizer = try Tokenizer(folder: listed.path)
        #expect(try tokenizer.encode("a[NEW]new").ids == [2, 5, 10, 9, 3] && tokenizer.isSpecial(10))
        #expect(!tokenizer.isSpecial(9), "special_tokens_map.json is void beside added_tokens_decoder")
        let older = try Self.folder(#"{"tokenizer_class": "BertTokenizer", "mask_token": "a"}"#, file: file)
        try older.write(#"{"mask_token": "new"}"#, as: "special_tokens_map.json")
        try older.write(#"{"<b>": 10, "<c>": 11}"#, as: "added_tokens.json")
        let both = try Tokenizer(folder: older.path)
        #expect(both.specialTokens.mask == 9 && both.isSpecial(9) && !both.isSpecial(10))
        #expect(try both.encode("<c><b>new").ids == [2, 11, 10, 9, 3])
        for refused in [
            #"{"split_special_tokens": true}"#, #"{"added_tokens_decoder": {"40": {"content": "[NEW]"}}}"#,
            #"{"do_basic_tokenize": false, "tokenizer_class": "BertTokenizer"}"#,
        ] {
            let folder = try Self.folder(refused, file: file)
            #expect(throws: GraftError.self, "\(refused)") { try Tokenizer(folder: folder.path) }
        }
    }

    @Test("A folder with neither file is refused by name")
    func nothing() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: GraftError.self) { try Tokenizer(folder: folder.path) }
        #expect(error?.code == .notFound)
        #expect(
            error?.message
                == "\(folder.path): no tokenizer.json, tokenizer.model, vocab.txt or vocab.json: the folder is empty; a "
                + "tokenizer is read from tokenizer.json, from spiece.model, spm.model, sentencepiece.bpe.model or "
                + "tokenizer.model, from vocab.txt, from vocab.json and merges.txt, or from vocab.json, source.spm and "
                + "target.spm")
    }
}

/// A folder that goes when the test ends.
final class TemporaryFolder {
    let path: String
    private var files: [String] = []

    init() throws {
        var template = Array("/tmp/graft-tokenizers-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw GraftError(.io, "cannot make a temporary folder") }
        path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }

    deinit {
        for file in files { unlink(file) }
        rmdir(path)
    }

    func write(_ text: String, as name: String) throws { try write(Array(text.utf8), as: name) }

    func copy(_ source: String, as name: String) throws { try write(try MappedFile.contents(of: source), as: name) }

    func write(_ bytes: [UInt8], as name: String) throws {
        guard let file = fopen(path + "/" + name, "wb") else { throw GraftError(.io, "cannot write \(name)") }
        files.append(path + "/" + name)
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }
}
