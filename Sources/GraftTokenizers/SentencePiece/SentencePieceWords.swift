import GraftTensor

/// Divides a text at its words, whose numbers tokens have: at what stands for spaces, which begins
/// a word, or ends it.
struct SentencePieceWords: PreTokenizer {
    /// What stands for a space.
    let mark: [UInt8]
    let marksEnds: Bool

    func divide(_ text: inout WorkingText) throws(GraftError) {
        try text.divide { (source, range, parts) throws(GraftError) in
            var start = range.lowerBound
            while start < range.upperBound {
                let rest = UnsafeBufferPointer(rebasing: source.bytes[start..<range.upperBound])
                let length = Self.firstBoundary(rest, mark, marksEnds: marksEnds) ?? rest.count
                parts.append(Piece(start, start + length))
                start += length
            }
        }
    }

    /// The first place within a text where a word ends and another begins; nil for one word.
    static func firstBoundary(_ text: UnsafeBufferPointer<UInt8>, _ mark: [UInt8], marksEnds: Bool) -> Int? {
        guard let lead = mark.first else { return nil }
        var position = 0
        var isBehindMark: Bool?
        while position < text.count {
            let isMark = text[position] == lead && text[position...].starts(with: mark)
            if let isBehindMark, marksEnds ? isBehindMark && !isMark : !isBehindMark && isMark { return position }
            isBehindMark = isMark
            position += isMark ? mark.count : 1
        }
        return nil
    }
}
