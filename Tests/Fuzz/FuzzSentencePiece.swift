import GraftTensor
import GraftTokenizers

/// Any file of SentencePiece is loaded or refused, and one that loads encodes any text and decodes
/// any of its ids.
///
/// The input is the length of the file in two bytes, the file, and the text.
@c(LLVMFuzzerTestOneInput)
public func fuzzSentencePiece(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    guard count >= 2 else { return 0 }
    let end = min(2 + (Int(bytes[0]) | Int(bytes[1]) << 8), count)
    let file = UnsafeRawBufferPointer(rebasing: bytes[2..<max(2, end)])
    guard let tokenizer = try? Tokenizer(sentencePieces: file, source: "input") else { return 0 }
    let text = UnsafeRawBufferPointer(rebasing: bytes[max(2, end)...]).bindMemory(to: UInt8.self)
    if let encoding = try? tokenizer.encode(text) {
        precondition(encoding.offsets.count == encoding.count && encoding.wordIDs.count == encoding.count)
        for offsets in encoding.offsets {
            precondition(0 <= offsets.start && offsets.start <= offsets.end, "offsets out of order")
            precondition(Int(offsets.end) <= text.count, "offsets beyond the text")
        }
        _ = try? tokenizer.decode(encoding.ids, skipSpecialTokens: false)
    }
    _ = try? tokenizer.decode(text.prefix(64).map(Int32.init))
    return 0
}
