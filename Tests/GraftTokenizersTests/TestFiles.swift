import Glibc
import GraftFormats
import GraftTensor
import GraftTestSupport
import Synchronization

@testable import GraftTokenizers

/// Where the tests' files are.
enum TestFiles {
    static let goldens = Goldens.path("tokenizers")

    /// How many of what takes seconds each are one that is tried; with GRAFT_TEST_WHOLE=1 (`make
    /// test-whole`) all are.
    static let sampleStep = getenv("GRAFT_TEST_WHOLE") == nil ? 5 : 1

    static let names = ["minilm", "gpt2", "qwen", "stories260k", "me5", "marian"]

    static func path(_ name: String) throws(GraftError) -> String {
        switch name {
        case "minilm": try TestData.model("minilm/tokenizer.json")
        case "gpt2": try TestData.path("tokenizers/gpt2/tokenizer.json")
        case "qwen": try TestData.path("tokenizers/qwen-tiktoken/tokenizer.json")
        case "me5": try TestData.path("models/me5-small-zh-en-pruned/tokenizer.json")
        case "marian": try TestData.path("models/marian-enpt/tokenizer.json")
        default: try TestData.path("models/stories260K/hf/tokenizer.json")
        }
    }

    private static let loaded = Mutex<[String: Tokenizer]>([:])

    /// One of the real tokenizers; loaded once.
    static func tokenizer(_ name: String) throws -> Tokenizer {
        if let tokenizer = loaded.withLock({ $0[name] }) { return tokenizer }
        let tokenizer = try Tokenizer(tokenizerFile: path(name))
        loaded.withLock { $0[name] = tokenizer }
        return tokenizer
    }

    /// A file as text, by lines without the last, empty one.
    static func lines(_ path: String) throws -> [String] {
        let text = String(decoding: try MappedFile.contents(of: path), as: UTF8.self)
        return text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    }
}

extension Encoding {
    /// The arrays that the goldens hold, with offsets in characters.
    func arrays(of text: String, _ pair: String? = nil) -> [String: [Int32]] {
        let offsets = Array(text.utf8).withUnsafeBufferPointer { text in
            Array((pair ?? "").utf8).withUnsafeBufferPointer { characterOffsets(in: text, pair: $0) }
        }
        return [
            "ids": ids, "types": typeIDs, "starts": offsets.map(\.start), "ends": offsets.map(\.end), "words": wordIDs,
        ]
    }
}

/// The hashes of `Tests/Goldens/tokenizers/make.py`.
enum GoldenHash {
    static let factor: UInt64 = 0x9E37_79B9_7F4A_7C15

    static func ofLine(_ arrays: [[Int32]]) -> UInt64 {
        var power: UInt64 = 1
        var total: UInt64 = 0
        for array in arrays {
            for number in array {
                power &*= factor
                total &+= UInt64(bitPattern: Int64(number) + 2) &* power
            }
        }
        return total
    }

    static func chain(_ total: UInt64, _ value: UInt64) -> UInt64 { total &* factor &+ value &+ 1 }

    static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
