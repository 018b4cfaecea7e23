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

    @Test("BPE with byte fallback: llama-spm")
    func llama() throws {
        let file = try VocabularyGGUF(
            contentsOf: TestData.path("tokenizers/ggml-vocab/ggml-vocab-llama-spm.gguf"))
        try #require(file.tokens.count == 32000 && file.scores.count == 32000)
        try check(try file.llamaTokenizer(), "llama-spm")
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
            let path = try TestData.path("tokenizers/ggml-vocab/ggml-vocab-\(name).gguf\(ending)")
            return String(decoding: try MappedFile.contents(of: path), as: UTF8.self)
        }
        let (input, output) = (try contents(".inp"), try contents(".out"))
        let texts = pieces(input, between: "\n__ggml_vocab_test__\n")
        let rows = output.split(separator: "\n", omittingEmptySubsequences: false).prefix(texts.count)
        try #require(texts.count == 47 && rows.count == texts.count)
        return zip(texts, rows).map { text, row in (text, row.split(separator: " ").compactMap { Int32($0) }) }
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
