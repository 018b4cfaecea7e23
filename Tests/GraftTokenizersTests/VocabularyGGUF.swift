import GraftFormats
import GraftTensor
import GraftTokenizers

/// The vocabulary in a GGUF file of llama.cpp: what the vectors need of it, and no more.
struct VocabularyGGUF {
    private(set) var tokens: [String] = []
    private(set) var scores: [Float] = []
    private let bytes: [UInt8]
    private var position = 0

    init(contentsOf path: String) throws {
        bytes = try MappedFile.contents(of: path)
        guard bytes.starts(with: "GGUF".utf8) else { throw GraftError(.corruptFile, "\(path) is not GGUF") }
        position = 16
        let count = number(8)
        for _ in 0..<count {
            let key = text()
            let type = number(4)
            switch key {
            case "tokenizer.ggml.tokens": tokens = array().map { _ in text() }
            case "tokenizer.ggml.scores": scores = array().map { _ in Float(bitPattern: UInt32(number(4))) }
            default: skip(type)
            }
        }
    }

    /// The positions of an array's elements.
    private mutating func array() -> Range<Int> {
        position += 4
        return 0..<number(8)
    }

    private mutating func skip(_ type: Int) {
        switch type {
        case 0, 1, 7: position += 1
        case 2, 3: position += 2
        case 4, 5, 6: position += 4
        case 8: _ = text()
        case 9:
            let element = number(4)
            for _ in 0..<number(8) { skip(element) }
        default: position += 8
        }
    }

    private mutating func number(_ size: Int) -> Int {
        defer { position += size }
        return (0..<size).reduce(0) { $0 | Int(bytes[position + $1]) << (8 * $1) }
    }

    private mutating func text() -> String {
        let length = number(8)
        defer { position += length }
        return String(decoding: bytes[position..<position + length], as: UTF8.self)
    }

    /// SentencePiece's vocabulary as Hugging Face's converter writes it: every way to make a piece
    /// of two is a merge, and the pieces' scores order them.
    func llamaTokenizer() throws -> Tokenizer {
        var ids: [[UInt8]: Int] = [:]
        for (id, token) in tokens.enumerated() { ids[Array(token.utf8)] = id }
        var merges: [(score: Float, left: Int, right: Int, text: String)] = []
        for (id, token) in tokens.enumerated() where token.unicodeScalars.count > 1 {
            let scalars = Array(token.unicodeScalars)
            for cut in 1..<scalars.count {
                let left = String(String.UnicodeScalarView(scalars[..<cut]))
                let right = String(String.UnicodeScalarView(scalars[cut...]))
                guard let leftID = ids[Array(left.utf8)], let rightID = ids[Array(right.utf8)] else { continue }
                merges.append((scores[id], leftID, rightID, "\(left) \(right)"))
            }
        }
        merges.sort { ($1.score, $0.left, $0.right) < ($0.score, $1.left, $1.right) }
        var vocabulary = JSONObject()
        for (id, token) in tokens.enumerated() { vocabulary[token] = .integer(id) }
        let settings: JSON = [
            "version": "1.0",
            "normalizer": [
                "type": "Sequence",
                "normalizers": [
                    ["type": "Prepend", "prepend": "▁"],
                    ["type": "Replace", "pattern": ["String": " "], "content": "▁"],
                ],
            ],
            "model": [
                "type": "BPE", "unk_token": "<unk>", "byte_fallback": true, "fuse_unk": true,
                "vocab": .object(vocabulary), "merges": .array(merges.map { .string($0.text) }),
            ],
        ]
        return try Array(settings.serialized().utf8).withUnsafeBytes { bytes in
            try Tokenizer(tokenizer: bytes, source: "llama-spm")
        }
    }
}
