import GraftFormats
import GraftTensor
import Testing

@testable import GraftTokenizers

/// Small tokenizers, each about one stage or one of its settings, against Hugging Face `tokenizers`
/// 0.23.3.
@Suite("Every stage encodes and decodes as in tokenizers 0.23.3")
struct StageTests {
    private struct Goldens: Sendable {
        let texts: [String]
        let ids: [[Int32]]
        let stages: [JSONObject]
        let model: JSON

        init() throws {
            let file = try JSON(contentsOf: TestFiles.goldens + "/stages.json").requireObject()
            texts = try file.strings("texts")
            ids = try file.array("ids").map { ($0.arrayValue ?? []).compactMap(\.intValue).map(Int32.init) }
            stages = try file.array("stages").map { try $0.requireObject() }
            model = try #require(file["model"])
        }
    }

    @Test("Hashes over encodings and decoded texts are equal")
    func stages() throws {
        let goldens = try Goldens()
        #expect(goldens.stages.count > 150 && goldens.texts.count > 100 && goldens.ids.count == 200)
        for stage in goldens.stages {
            let name = try stage.string("name")
            var settings = try stage.object("tokenizer")
            if settings["model"] == nil { settings["model"] = goldens.model }
            do {
                let tokenizer = try load(settings)
                let encoded = try hashOfEncodings(tokenizer, goldens.texts)
                #expect(GoldenHash.hexadecimal(encoded) == (try stage.string("encoded")), "encoding with \(name)")
                let decoded = try hashOfDecodings(tokenizer, goldens.ids)
                #expect(GoldenHash.hexadecimal(decoded) == (try stage.string("decoded")), "decoding with \(name)")
            } catch {
                Issue.record("\(name): \(error)")
            }
        }
    }

    private func load(_ settings: JSONObject) throws -> Tokenizer {
        try Array(JSON.object(settings).serialized().utf8).withUnsafeBytes { bytes in
            try Tokenizer(tokenizer: bytes, source: "stages.json")
        }
    }

    private func hashOfEncodings(_ tokenizer: Tokenizer, _ texts: [String]) throws -> UInt64 {
        var hash: UInt64 = 0
        for (text, pair) in zip(texts, texts.dropFirst() + texts.prefix(1)) {
            for pair in [nil, pair] {
                let arrays = try tokenizer.encode(text, pair: pair).arrays(of: text, pair)
                hash = GoldenHash.chain(
                    hash, GoldenHash.ofLine(["ids", "types", "starts", "ends", "words"].map { arrays[$0] ?? [] }))
            }
        }
        return hash
    }

    private func hashOfDecodings(_ tokenizer: Tokenizer, _ lists: [[Int32]]) throws -> UInt64 {
        var hash: UInt64 = 0
        for ids in lists {
            // The package leaves out ids that no token has.
            let text = try tokenizer.text(of: ids, skipSpecialTokens: true)
            for byte in text.utf8 { hash = GoldenHash.chain(hash, UInt64(byte)) }
            hash = GoldenHash.chain(hash, 256)
        }
        return hash
    }
}
