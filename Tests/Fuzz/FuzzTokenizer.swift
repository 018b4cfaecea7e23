import GraftTensor
import GraftTokenizers

/// Any `tokenizer.json` is loaded or refused, and one that loads encodes any text or refuses it.
///
/// The input is the file, a byte 0xFF, which is in no UTF-8, and the text.
@c(LLVMFuzzerTestOneInput)
public func fuzzTokenizer(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    let end = bytes.firstIndex(of: 0xFF) ?? count
    let file = UnsafeRawBufferPointer(rebasing: bytes[..<end])
    guard let tokenizer = try? Tokenizer(tokenizer: file, source: "input") else { return 0 }
    let text = UnsafeRawBufferPointer(rebasing: bytes[min(end + 1, count)...]).bindMemory(to: UInt8.self)
    for options in [
        Tokenizer.Options(), Tokenizer.Options(shortening: .none, addsSpecialTokens: false),
        Tokenizer.Options(shortening: .to(Truncation(maximumLength: 5, side: .left))),
    ] {
        check(tokenizer, text, nil, options)
        check(tokenizer, text, text, options)
    }
    return 0
}

private func check(
    _ tokenizer: Tokenizer, _ text: UnsafeBufferPointer<UInt8>, _ pair: UnsafeBufferPointer<UInt8>?,
    _ options: Tokenizer.Options
) {
    guard let encoding = try? tokenizer.encode(text, pair: pair, options) else { return }
    let counts = [
        encoding.typeIDs.count, encoding.offsets.count, encoding.wordIDs.count, encoding.sequenceIDs.count,
        encoding.specialTokensMask.count,
    ]
    precondition(counts.allSatisfy { $0 == encoding.count }, "the arrays differ in length")
    for offsets in encoding.offsets {
        precondition(0 <= offsets.start && offsets.start <= offsets.end, "offsets out of order")
        precondition(Int(offsets.end) <= text.count, "offsets beyond the text")
    }
    if case .to(let truncation) = options.shortening {
        precondition(encoding.count <= truncation.maximumLength, "longer than the maximum")
    }
    _ = encoding.characterOffsets(in: text, pair: pair)
    let words = encoding.dividedWordIDs(in: text, pair: pair).filter { $0 >= 0 }
    precondition(words == words.sorted(), "words out of order")
    _ = try? tokenizer.decode(encoding.ids, skipSpecialTokens: false)
    guard var stream = try? TextStream(tokenizer) else { return }
    for id in encoding.ids.prefix(64) { _ = try? stream.append(id) }
    _ = try? stream.finish()
}
