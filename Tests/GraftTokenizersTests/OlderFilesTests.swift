import GraftFormats
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTokenizers

@Suite("Folders without tokenizer.json are read as the class that they name")
struct OlderFilesTests {
    /// A folder with files, by name; text that begins with `@` names a golden model of
    /// SentencePiece.
    private static func folder(_ files: [(name: String, text: String)]) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for (name, text) in files {
            if text.hasPrefix("@") {
                try folder.write(try SentencePieceTests.bytes(String(text.dropFirst())), as: name)
            } else {
                try folder.write(text, as: name)
            }
        }
        return folder
    }

    private static func named(_ name: String, _ more: String = "") -> (name: String, text: String) {
        ("tokenizer_config.json", "{\"tokenizer_class\": \"\(name)\"\(more)}")
    }

    private static let letters =
        #"{"a":0,"b":1,"ab":2,"Ġ":3,"Ġa":4,"<|endoftext|>":5,"<s>":6,"</s>":7,"<unk>":8,"e":9,"Ì":10,"ģ":11,"Ã":12,"©":13}"#
    private static let merges = "#version: 0.2\na b\nĠ a\n"

    // MARK: The table

    @Test("Every class and every type of model is there once")
    func table() throws {
        let names = TokenizerClass.all.flatMap { [$0.name] + $0.aliases }
        #expect(Set(names).count == names.count)
        for kind in TokenizerFiles.allCases {
            let types = TokenizerClass.all.filter { $0.files == kind }.flatMap(\.modelTypes)
            #expect(Set(types).count == types.count, "\(kind)")
            for type in types {
                #expect(TokenizerClass.named(kind.usualClass(type))?.modelTypes.contains(type) == true)
            }
        }
        #expect(TokenizerFiles.bytePairs.usualClass(nil) == "GPT2Tokenizer")
        #expect(TokenizerFiles.words.usualClass(nil) == "BertTokenizer")
        #expect(TokenizerFiles.translation.usualClass(nil) == "MarianTokenizer")
        #expect(TokenizerFiles.pieces.usualClass(nil) == nil)
    }

    // MARK: What the classes do

    @Test("Classes of byte-pair encoding have their own words, normalizers and ends")
    func bytePairs() throws {
        func ids(_ text: String, _ settings: (name: String, text: String)...) throws -> [Int32] {
            let folder = try Self.folder([("vocab.json", Self.letters), ("merges.txt", Self.merges)] + settings)
            return try Tokenizer(folder: folder.path).encode(text).ids
        }
        #expect(try ids("ab a") == [2, 4])
        #expect(try ids("ab a", Self.named("GPT2Tokenizer", #", "add_bos_token": true"#)) == [5, 2, 4])
        #expect(try ids("ab a", ("config.json", #"{"model_type": "bart"}"#)) == [6, 2, 4, 7])
        #expect(try ids("ab a", Self.named("BartTokenizerFast")) == [6, 2, 4, 7])
        #expect(try ids("ab a", Self.named("GPTNeoXTokenizer", #", "add_eos_token": true"#)) == [2, 4, 5])
        #expect(try ids("ab a", ("config.json", #"{"model_type": "qwen2"}"#)) == [2, 4])
        // Qwen's and NeoX's classes compose characters, GPT-2's does not.
        #expect(try ids("e\u{301}") == [9, 10, 11])
        #expect(try ids("e\u{301}", Self.named("GPTNeoXTokenizer")) == [12, 13])
        #expect(try ids("e\u{301}", Self.named("Qwen2Tokenizer")) == [12, 13])
    }

    @Test("MPNet's words are BERT's, and what is around them RoBERTa's")
    func mpnet() throws {
        let words = "<s>\n<pad>\n</s>\n[UNK]\n<mask>\na\nb\n"
        let folder = try Self.folder([("vocab.txt", words), ("config.json", #"{"model_type": "mpnet"}"#)])
        let tokenizer = try Tokenizer(folder: folder.path)
        #expect(try tokenizer.encode("A x <mask>").ids == [0, 5, 3, 4, 2])
        #expect(try tokenizer.encode("a", pair: "b").ids == [0, 5, 2, 2, 6, 2])
        #expect(tokenizer.specialTokens.mask == 4 && tokenizer.specialTokens.padding == 1)
    }

    /// Two golden models, and a vocabulary with some of their pieces.
    private static func marian(_ vocabulary: String, _ settings: String = "{}") throws -> TemporaryFolder {
        try folder([
            ("source.spm", "@unigram"), ("target.spm", "@t5"), ("vocab.json", vocabulary),
            ("config.json", #"{"model_type": "marian"}"#), ("tokenizer_config.json", settings),
        ])
    }

    @Test("Marian's pieces have the ids of the vocabulary, and a language's code is one token")
    func translation() throws {
        let pieces = try SentencePieceTests.load(try SentencePieceTests.bytes("unigram"))
        let text = "the cat"
        let tokens = try pieces.tokens(of: pieces.encode(text))
        var vocabulary: JSONObject = JSONObject()
        for token in ["</s>", "<unk>", ">>fra<<"] + tokens.reversed() where vocabulary[token] == nil {
            vocabulary[token] = .integer(vocabulary.count)
        }
        vocabulary["<pad>"] = .integer(vocabulary.count)
        let folder = try Self.marian(JSON.object(vocabulary).serialized())
        let tokenizer = try Tokenizer(folder: folder.path)
        let expected = tokens.map { Int32(vocabulary[$0]?.intValue ?? -1) }
        #expect(try tokenizer.encode(text).ids == expected + [0])
        #expect(try tokenizer.encode(">>fra<< " + text).ids == [2] + expected + [0])
        #expect(try tokenizer.encode(">>x<<" + text).ids == [1] + expected + [0])
        #expect(try tokenizer.decode(expected + [0]) == text)
        #expect(try tokenizer.decode(expected + [0], skipSpecialTokens: false) == text + "</s>")
        #expect(tokenizer.vocabularySize == vocabulary.count)
    }

    @Test("Added tokens are found in a text before SentencePiece normalises it")
    func addedTokens() throws {
        let token = #""added_tokens_decoder": {"120": {"content": "NEW x", "normalized": true}}"#
        let folder = try Self.folder([
            ("spiece.model", "@t5"), Self.named("T5Tokenizer", #", "extra_ids": 0, "# + token),
        ])
        let tokenizer = try Tokenizer(folder: folder.path)
        let count = tokenizer.vocabularySize
        #expect(tokenizer.token(for: Int32(count - 1)) == "NEW x")
        #expect(try tokenizer.encode("catNEW xcat").ids.count { $0 == count - 1 } == 1)
    }

    // MARK: What is refused

    private static let vocabulary = ("vocab.json", letters)
    private static let refused: [(files: [(name: String, text: String)], code: GraftError.Code, message: String)] = [
        (
            [vocabulary], .corruptFile,
            "no tokenizer.json, and beside vocab.json expected merges.txt, found no such file"
        ),
        ([("merges.txt", merges)], .corruptFile, "beside merges.txt expected vocab.json"),
        (
            [("source.spm", "@unigram"), vocabulary], .corruptFile,
            "beside vocab.json and source.spm expected target.spm"
        ),
        ([("target.spm", "@unigram")], .corruptFile, "beside target.spm expected vocab.json and source.spm"),
        (
            [vocabulary, ("merges.txt", "a b\na  b\n")], .corruptFile,
            #"merges.txt: merge 1 is "a  b": expected two tokens with a space between"#
        ),
        (
            [vocabulary, ("merges.txt", "ab\n")], .corruptFile,
            #"merges.txt: merge 0 is "ab": expected two tokens with a space between"#
        ),
        (
            [vocabulary, ("merges.txt", "a c\n")], .corruptFile,
            #"merges.txt: merge 0 is of "a" and "c": expected both and what they make in the vocabulary"#
        ),
        ([("vocab.json", "[]"), ("merges.txt", merges)], .corruptFile, "vocab.json"),
        ([("vocab.json", #"{"a":-1}"#), ("merges.txt", "")], .corruptFile, "the token \"a\" has the id -1"),
        (
            [("vocab.json", #"{"a":0}"#), ("merges.txt", ""), named("RobertaTokenizer")], .incompatible,
            "vocab.json: expected cls_token \"<s>\" among the tokens, as RobertaTokenizer has it"
        ),
        (
            [
                vocabulary, ("merges.txt", merges),
                named("GPT2Tokenizer", #", "add_bos_token": true, "bos_token": "<x>""#),
            ],
            .incompatible, "expected bos_token \"<x>\" among the tokens"
        ),
        (
            [vocabulary, ("merges.txt", merges), ("config.json", #"{"model_type": "xlm"}"#)], .unsupported,
            "vocab.json: the tokenizer's class is that of model_type xlm: from vocab.json, merges.txt only the classes "
                + "GPT2Tokenizer, RobertaTokenizer"
        ),
        (
            [vocabulary, ("merges.txt", merges), named("AlbertTokenizer")], .unsupported,
            "class is AlbertTokenizer, which is read from spiece.model or spm.model"
        ),
        (
            [("vocab.txt", "[CLS]\na\n")], .incompatible,
            "vocab.txt: expected sep_token \"[SEP]\" among the tokens, as BertTokenizer has it"
        ),
        (
            [("vocab.txt", "[CLS]\n[SEP]\n[UNK]\n"), ("config.json", #"{"model_type": "esm"}"#)], .unsupported,
            "the tokenizer's class is that of model_type esm: from vocab.txt only the classes BertTokenizer, MPNetTokenizer"
        ),
        (
            [("spiece.model", "@t5"), named("AlbertTokenizer")], .incompatible,
            "spiece.model: expected the unknown piece as piece 1, as AlbertTokenizer has it"
        ),
        (
            [("spm.model", "@bpe-bytes"), named("DebertaV2Tokenizer")], .incompatible,
            "spm.model: expected model_type 1 (Unigram), as DebertaV2Tokenizer has it"
        ),
        (
            [("spm.model", "@unigram"), named("DebertaV2Tokenizer")], .incompatible,
            "expected cls_token \"[CLS]\" among the tokens"
        ),
        (
            [("tokenizer.model", "@unigram"), named("CodeLlamaTokenizer")], .incompatible,
            "expected model_type 2 (byte-pair encoding), as CodeLlamaTokenizer has it"
        ),
        (
            [("sentencepiece.bpe.model", "@unigram"), named("MBartTokenizer", #", "src_lang": "xx_XX""#)],
            .incompatible,
            "expected src_lang \"xx_XX\" among the tokens, as MBartTokenizer has it"
        ),
        (
            [("sentencepiece.bpe.model", "@bare"), named("MBartTokenizer", #", "src_lang": 1"#)], .corruptFile,
            "src_lang: expected a string, found the number 1"
        ),
    ]

    @Test("What a class cannot read is refused with what was expected", arguments: refused.indices)
    func refusals(_ index: Int) throws {
        let (files, code, message) = Self.refused[index]
        let folder = try Self.folder(files)
        let error = #expect(throws: GraftError.self) { try Tokenizer(folder: folder.path) }
        #expect(error?.code == code && error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    private static let badMarians: [(vocabulary: String, settings: String, code: GraftError.Code, message: String)] = [
        (#"{"</s>":0}"#, "{}", .incompatible, #"vocab.json: expected unk_token "<unk>" among the tokens"#),
        (
            #"{"<unk>":0}"#, "{}", .incompatible,
            #"expected eos_token "</s>" among the tokens, as MarianTokenizer has it"#
        ),
        (
            #"{"</s>":0,"<unk>":1}"#, #"{"separate_vocabs": true}"#, .unsupported,
            "separate_vocabs is true: expected one vocabulary for both languages"
        ),
        ("7", "{}", .corruptFile, "vocab.json"),
    ]

    @Test("So are Marian's files", arguments: badMarians.indices)
    func badTranslations(_ index: Int) throws {
        let (vocabulary, settings, code, message) = Self.badMarians[index]
        let folder = try Self.marian(vocabulary, settings)
        let error = #expect(throws: GraftError.self) { try Tokenizer(folder: folder.path) }
        #expect(error?.code == code && error?.message.contains(message) == true, "\(error?.message ?? "")")
    }
}
