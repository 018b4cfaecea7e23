import GraftFormats
import GraftTensor

extension Tokenizer {
    /// Encodes texts as if U+FFFD stood for each of their ill-formed sequences. Offsets are bytes
    /// of the texts as they are.
    func encodeRepaired(
        _ text: UnsafeBufferPointer<UInt8>, pair: UnsafeBufferPointer<UInt8>?, _ options: Options
    ) throws(GraftError) -> Encoding {
        try Memory.require(32 * (text.count + (pair?.count ?? 0)), to: "replacing what is not UTF-8")
        let first = RepairedText(text)
        let second = pair.map(RepairedText.init)
        var encoding = try first.bytes.withUnsafeBufferPointer { text throws(GraftError) in
            guard let second else { return try encode(text, options) }
            return try second.bytes.withUnsafeBufferPointer { pair throws(GraftError) in
                try encode(text, pair: pair, options)
            }
        }
        for (index, sequence) in encoding.sequenceIDs.enumerated() {
            let repaired = sequence == 0 ? first : sequence == 1 ? second : nil
            if let repaired { encoding.offsets[index] = repaired.original(encoding.offsets[index]) }
        }
        return encoding
    }
}

/// A text with U+FFFD in place of each ill-formed sequence of its bytes.
private struct RepairedText {
    private(set) var bytes: [UInt8] = []
    /// Where each of them comes from in the text as it was: for U+FFFD, the whole sequence that it
    /// replaces.
    private var origins: [TokenOffsets] = []
    private let originalCount: Int

    init(_ text: UnsafeBufferPointer<UInt8>) {
        originalCount = text.count
        bytes.reserveCapacity(text.count)
        origins.reserveCapacity(text.count)
        let text = UnsafeRawBufferPointer(text)
        var position = 0
        while position < text.count {
            if let length = UTF8Scanning.sequenceLength(in: text, at: position) {
                for place in position..<position + length { append(text[place], place..<place + 1) }
                position += length
            } else {
                let length = UTF8Scanning.illFormedLength(in: text, at: position)
                for byte in "\u{FFFD}".utf8 { append(byte, position..<position + length) }
                position += length
            }
        }
    }

    private mutating func append(_ byte: UInt8, _ origin: Range<Int>) {
        bytes.append(byte)
        origins.append(
            TokenOffsets(
                Int32(truncatingIfNeeded: origin.lowerBound), Int32(truncatingIfNeeded: origin.upperBound)))
    }

    /// The bytes of the text as it was that `offsets` of the repaired one stand for.
    func original(_ offsets: TokenOffsets) -> TokenOffsets {
        let (start, last) = (Int(offsets.start), Int(offsets.end) - 1)
        return TokenOffsets(
            origins.indices.contains(start) ? origins[start].start : Int32(truncatingIfNeeded: originalCount),
            origins.indices.contains(last) ? origins[last].end : 0)
    }
}
