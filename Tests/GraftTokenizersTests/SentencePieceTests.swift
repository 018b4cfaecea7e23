import GraftFormats
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTokenizers

/// Models of the sentencepiece package, and what it makes of texts and ids; what transformers'
/// classes do with them.
@Suite("Files of SentencePiece are read as sentencepiece 0.2.3 reads them")
struct SentencePieceTests {
    private static let folder = "sentencepiece/"
    static let names = ["unigram", "unigram-bytes", "bpe-bytes", "bpe", "suffix", "bare", "t5"]

    static func bytes(_ name: String) throws -> [UInt8] {
        try MappedFile.contents(of: Goldens.path(folder + name + ".model"))
    }

    static func load(_ bytes: [UInt8]) throws -> Tokenizer {
        try bytes.withUnsafeBytes { try Tokenizer(sentencePieces: $0, source: "test") }
    }

    @Test("Texts become the same ids, and ids the same texts", arguments: names)
    func cases(_ name: String) throws {
        let tokenizer = try Self.load(Self.bytes(name))
        let golden = try JSON(contentsOf: Goldens.path(Self.folder + name + ".json")).requireObject()
        for value in try golden.array("texts") {
            let value = try value.requireObject()
            let text = try value.string("text")
            let encoding = try tokenizer.encode(text)
            let ids = try value.array("ids").compactMap(\.intValue).map(Int32.init)
            #expect(encoding.ids == ids, "\(JSON.string(text).serialized())")
            #expect(Array(try tokenizer.decode(ids).utf8) == Array(try value.string("decoded").utf8))
            for (offsets, next) in zip(encoding.offsets, encoding.offsets.dropFirst()) {
                #expect(offsets.start <= next.start && offsets.end <= next.end, "\(JSON.string(text).serialized())")
            }
            #expect(encoding.wordIDs == encoding.wordIDs.sorted())
        }
        for value in try golden.array("sequences") {
            let value = try value.requireObject()
            let ids = try value.array("ids").compactMap(\.intValue).map(Int32.init)
            #expect(Array(try tokenizer.decode(ids).utf8) == Array(try value.string("decoded").utf8), "\(ids)")
        }
    }

    @Test("The classes of transformers have the same ids around the same pieces")
    func classes() throws {
        let cases = try #require(try JSON(contentsOf: Goldens.path(Self.folder + "classes.json")).arrayValue)
        #expect(cases.count == 10)
        for value in cases {
            let value = try value.requireObject()
            let folder = try TemporaryFolder()
            try folder.copy(
                Goldens.path(Self.folder + value.string("model") + ".model"), as: value.string("file"))
            try folder.write(JSON.object(try value.object("settings")).serialized(), as: "tokenizer_config.json")
            let tokenizer = try Tokenizer(folder: folder.path)
            for golden in try value.array("texts") {
                let golden = try golden.requireObject()
                let text = try golden.string("text")
                let ids = try golden.array("ids").compactMap(\.intValue).map(Int32.init)
                let pair = try golden.array("pair").compactMap(\.intValue).map(Int32.init)
                #expect(try tokenizer.encode(text).ids == ids, "\(text)")
                #expect(try tokenizer.encode(text, pair: "the world").ids == pair, "\(text)")
                #expect(try tokenizer.decode(ids) == golden.string("decoded"), "\(text)")
            }
        }
    }

    @Test("Words have numbers, and tokens the bytes that they stand for")
    func offsets() throws {
        let tokenizer = try Self.load(Self.bytes("unigram"))
        let text = "  the ﬁ  world."
        let encoding = try tokenizer.encode(text)
        #expect(encoding.wordIDs.first == 0 && encoding.wordIDs.last == 2)
        let utf8 = Array(text.utf8)
        func spelled(_ word: Int32) -> String {
            let offsets = zip(encoding.offsets, encoding.wordIDs).filter { $0.1 == word }.map(\.0)
            let bytes = utf8[Int(offsets.first?.start ?? 0)..<Int(offsets.last?.end ?? 0)]
            return String(decoding: bytes, as: UTF8.self)
        }
        #expect(spelled(0) == "the" && spelled(1) == " ﬁ" && spelled(2) == "  world.")
    }

    @Test("Special tokens are known by what the file and the class say")
    func special() throws {
        let plain = try Self.load(Self.bytes("t5"))
        #expect(plain.specialTokens.padding == 0 && plain.specialTokens.end == 1 && plain.specialTokens.unknown == 2)
        #expect(plain.specialTokens.beginning == nil && plain.specialTokens.mask == nil)
        #expect(plain.isSpecial(1) && !plain.isSpecial(2), "an unknown piece is read as it is there")
        #expect(try plain.encode("</s>").ids != [1], "a control piece is in no text")
        let folder = try TemporaryFolder()
        try folder.copy(Goldens.path(Self.folder + "unigram.model"), as: "sentencepiece.bpe.model")
        try folder.write(#"{"model_type": "xlm-roberta"}"#, as: "config.json")
        let roberta = try Tokenizer(folder: folder.path)
        #expect(roberta.specialTokens.mask == Int32(roberta.largestID) && roberta.specialTokens.padding == 1)
        #expect(roberta.token(for: 4) == plain.token(for: 4) || roberta.token(for: 4) != nil)
    }

    // MARK: What is refused

    /// A message of Protocol Buffers, by hand.
    private enum Field {
        case bytes(Int, [UInt8])
        case number(Int, UInt64)
        case float(Int, Float)

        var encoded: [UInt8] {
            func varint(_ value: UInt64) -> [UInt8] {
                value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + varint(value >> 7)
            }
            switch self {
            case .bytes(let field, let bytes):
                return varint(UInt64(field << 3 | 2)) + varint(UInt64(bytes.count)) + bytes
            case .number(let field, let value): return varint(UInt64(field << 3)) + varint(value)
            case .float(let field, let value):
                return varint(UInt64(field << 3 | 5))
                    + (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) }
            }
        }
    }

    private static func message(_ fields: [Field]) -> [UInt8] { fields.flatMap(\.encoded) }

    private static func piece(_ text: String, _ score: Float = -1, type: UInt64 = 1) -> Field {
        .bytes(1, message([.bytes(1, Array(text.utf8)), .float(2, score), .number(3, type)]))
    }

    private static let unknown = piece("<unk>", 0, type: 2)

    private static let refused: [(fields: [Field], code: GraftError.Code, message: String)] = [
        ([], .corruptFile, "found no pieces: it is no file of SentencePiece"),
        ([piece("a")], .corruptFile, "expected an unknown piece, found none"),
        ([unknown, piece("?", type: 2)], .corruptFile, "expected one unknown piece, found 0 and 1"),
        ([unknown, piece("a"), piece("a")], .corruptFile, "the piece \"a\" is twice there"),
        ([unknown, piece("")], .corruptFile, "piece 1: expected a text in UTF-8 and a number"),
        ([unknown, piece("a", .nan)], .corruptFile, "piece 1: expected a text in UTF-8 and a number"),
        ([unknown, .bytes(1, message([.bytes(1, [0xC3])]))], .corruptFile, "piece 1: expected a text in UTF-8"),
        ([unknown, .bytes(2, message([.number(3, 4)]))], .unsupported, "model_type is 4: expected 1 (Unigram) or 2"),
        (
            [unknown, .bytes(2, message([.number(35, 1)]))], .corruptFile,
            "byte_fallback is true: expected 256 byte pieces"
        ),
        ([unknown, piece("<0x41>", type: 6)], .corruptFile, "byte_fallback is false: expected no byte pieces"),
        (
            [unknown, piece("<0x41>", type: 6), .bytes(2, message([.number(35, 1)]))], .corruptFile,
            "byte_fallback is true: expected 256 byte pieces"
        ),
        (
            [unknown, .bytes(3, message([.bytes(2, [1, 2, 3])]))], .corruptFile,
            "expected SentencePiece's map of characters"
        ),
        (
            [unknown, .bytes(5, message([.bytes(2, [1])]))], .unsupported,
            "denormalizer_spec has a precompiled_charsmap"
        ),
    ]

    @Test("Files that cannot be honoured are refused with a reason", arguments: refused.indices)
    func refusals(_ index: Int) {
        let (fields, code, message) = Self.refused[index]
        let error = #expect(throws: GraftError.self) { try Self.load(Self.message(fields)) }
        #expect(error?.code == code && error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test("What a message has beside is passed over, and damage is refused where it is")
    func messages() throws {
        let more: [Field] = [.number(99, 1), .bytes(200, [1, 2]), .float(7, 1), Self.unknown, Self.piece("a", -1)]
        #expect(try Self.load(Self.message(more)).encode("a").ids == [0, 1], "the mark of a space is unknown")
        let bad: [[UInt8]] = [
            [0x0A], [0x0A, 0x05, 1], [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0x0B],
            [0x07],
            [0x00], [0x0D, 1, 2], [0x09, 1], [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
            Array("{}".utf8),
        ]
        for bytes in bad {
            let error = #expect(throws: GraftError.self, "\(bytes)") { try Self.load(bytes) }
            #expect(error?.code == .corruptFile && error?.message.contains("no file of SentencePiece at byte") == true)
        }
    }

    @Test("Every beginning of a file is read or refused")
    func truncated() throws {
        let bytes = try Self.bytes("bare")
        for count in stride(from: 0, to: bytes.count, by: 37) {
            guard let tokenizer = try? Self.load(Array(bytes[..<count])) else { continue }
            _ = try? tokenizer.encode("the cat e\u{301} ab")
        }
    }

    @Test("A class that is none of those is refused by name")
    func otherClasses() throws {
        for (name, text) in [
            ("tokenizer_config.json", #"{"tokenizer_class": "XLNetTokenizer"}"#),
            ("config.json", #"{"model_type": "xlnet"}"#),
        ] {
            let folder = try TemporaryFolder()
            try folder.copy(Goldens.path(Self.folder + "unigram.model"), as: "spiece.model")
            try folder.write(text, as: name)
            let error = #expect(throws: GraftError.self) { try Tokenizer(folder: folder.path) }
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("T5Tokenizer, XLMRobertaTokenizer") == true, "\(error?.message ?? "")")
        }
        let folder = try TemporaryFolder()
        try folder.copy(Goldens.path(Self.folder + "t5.model"), as: "spiece.model")
        try folder.write(
            #"{"tokenizer_class": "T5Tokenizer", "extra_ids": 2, "additional_special_tokens": ["<extra_id_0>"]}"#,
            as: "tokenizer_config.json")
        let extra = #expect(throws: GraftError.self) { try Tokenizer(folder: folder.path) }
        #expect(extra?.message.contains("expected all 2 tokens that extra_ids says") == true)
    }

    @Test("A tokenizer.json counts before a file of SentencePiece")
    func order() throws {
        let folder = try TemporaryFolder()
        try folder.copy(TestData.model("minilm/tokenizer.json"), as: "tokenizer.json")
        try folder.write("nothing", as: "spiece.model")
        #expect(try Tokenizer(folder: folder.path).vocabularySize == 30522)
    }
}
