import GraftFormats
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTokenizers

/// The test strings and expected ids that llama.cpp publishes with its vocabularies.
@Suite("Ids are those of llama.cpp's test vectors")
struct LlamaVectorTests {
    /// bert-bge has the vocabulary of MiniLM.
    @Test("WordPiece: bert-bge")
    func bert() throws {
        try check(try TestFiles.tokenizer("minilm"), "bert-bge")
    }

    @Test("Byte-level BPE: gpt-2")
    func gpt2() throws {
        try check(try TestFiles.tokenizer("gpt2"), "gpt-2")
    }

    @Test("Byte-level BPE with a pattern: qwen2")
    func qwen2() throws {
        try check(try TestFiles.tokenizer("qwen"), "qwen2")
    }

    @Test("The tokenizer inside the file", arguments: ["bert-bge", "gpt-2", "llama-spm"])
    func inside(name: String) throws {
        try check(try Tokenizer(folder: try path(name + ".gguf")), name)
    }

    @Test("The tokenizer inside a file made of the qwen tokenizer: qwen2")
    func insideQwen() throws {
        let json = try JSON(contentsOf: try TestFiles.path("qwen"))
        let model = try json.object("model")
        let tokens = try model.object("vocab").sorted { ($0.value.intValue ?? 0) < ($1.value.intValue ?? 0) }.map(\.key)
        let merges = try model.array("merges").map { merge in
            merge.stringValue ?? (merge.arrayValue ?? []).compactMap(\.stringValue).joined(separator: " ")
        }
        let builder = GGUFBuilder([
            ("tokenizer.ggml.model", .string("gpt2")), ("tokenizer.ggml.pre", .string("qwen2")),
            ("tokenizer.ggml.tokens", .strings(tokens)), ("tokenizer.ggml.merges", .strings(merges)),
        ])
        let path = try Goldens.temporaryFolder() + "/qwen.gguf"
        try AtomicFile.write(builder.bytes, to: path)
        try check(try Tokenizer(folder: path), "qwen2")
    }

    /// RoBERTa numbers GPT-2's tokens anew, and its vocabulary is not at hand: the two must agree
    /// on where tokens end, and each id of one must go with one id of the other.
    @Test("Byte-level BPE under other numbers: roberta-bpe")
    func roberta() throws {
        let tokenizer = try TestFiles.tokenizer("gpt2")
        var there: [Int32: Int32] = [:]
        var back: [Int32: Int32] = [:]
        for (text, expected) in try vectors("roberta-bpe") {
            let ids = try tokenizer.encode(text, Tokenizer.Options(shortening: .none)).ids
            #expect(ids.count == expected.count, "\(text.debugDescription)")
            for (id, number) in zip(ids, expected) {
                #expect(there.updateValue(number, forKey: id) ?? number == number, "\(text.debugDescription)")
                #expect(back.updateValue(id, forKey: number) ?? id == id, "\(text.debugDescription)")
            }
        }
        #expect(there.count > 100)
    }

    private func check(_ tokenizer: Tokenizer, _ name: String) throws {
        for (text, expected) in try vectors(name) {
            let ids = try tokenizer.encode(text, Tokenizer.Options(shortening: .none, addsSpecialTokens: false)).ids
            #expect(ids == expected, "\(text.debugDescription)")
        }
    }

    private func vectors(_ name: String) throws -> [(text: String, ids: [Int32])] {
        func contents(_ ending: String) throws -> String {
            String(decoding: try MappedFile.contents(of: path(name + ".gguf" + ending)), as: UTF8.self)
        }
        let (input, output) = (try contents(".inp"), try contents(".out"))
        let texts = pieces(input, between: "\n__ggml_vocab_test__\n")
        let rows = output.split(separator: "\n", omittingEmptySubsequences: false).prefix(texts.count)
        try #require(texts.count == 47 && rows.count == texts.count)
        return zip(texts, rows).map { text, row in (text, row.split(separator: " ").compactMap { Int32($0) }) }
    }

    private func path(_ name: String) throws -> String {
        try TestData.path("tokenizers/ggml-vocab/ggml-vocab-\(name)")
    }

    private func pieces(_ text: String, between separator: String) -> [String] {
        let bytes = Array(text.utf8)
        let separator = Array(separator.utf8)
        return bytes.withUnsafeBufferPointer { bytes in
            var pieces: [String] = []
            var start = 0
            while let end = ByteSearch.first(separator, in: bytes, from: start, to: bytes.count) {
                pieces.append(String(decoding: bytes[start..<end], as: UTF8.self))
                start = end + separator.count
            }
            pieces.append(String(decoding: bytes[start...], as: UTF8.self))
            return pieces
        }
    }
}
