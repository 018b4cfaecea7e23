import GraftTensor
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

    private func check(_ tokenizer: Tokenizer, _ name: String) throws {
        let path = TestFiles.shared + "/tokenizers/ggml-vocab/ggml-vocab-\(name).gguf"
        let input = String(decoding: try MappedFile.contents(of: path + ".inp"), as: UTF8.self)
        let output = String(decoding: try MappedFile.contents(of: path + ".out"), as: UTF8.self)
        let texts = pieces(input, between: "\n__ggml_vocab_test__\n")
        let rows = output.split(separator: "\n", omittingEmptySubsequences: false).prefix(texts.count)
        try #require(texts.count == 47 && rows.count == texts.count)
        for (text, row) in zip(texts, rows) {
            let expected = row.split(separator: " ").compactMap { Int32($0) }
            let ids = try tokenizer.encode(text, Tokenizer.Options(shortening: .none, addsSpecialTokens: false)).ids
            #expect(ids == expected, "\(text.debugDescription)")
        }
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
