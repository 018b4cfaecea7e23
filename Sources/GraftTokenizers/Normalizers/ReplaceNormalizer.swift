import GraftFormats
import GraftTensor

/// Puts a fixed text in place of every match of a pattern. It stands for the last character of the
/// match.
struct ReplaceNormalizer: Normalizer {
    private let pattern: Pattern
    private let content: [UInt8]

    init(_ settings: JSONObject) throws(GraftError) {
        pattern = try Pattern(settings)
        content = Array(try settings.string("content").utf8)
    }

    func normalize(_ source: TextView, _ range: Range<Int>, into out: inout TextBuffer) throws(GraftError) {
        var spans = Buffer<MatchSpan>()
        try pattern.appendSpans(source, range, to: &spans)
        // What all matches become is asked for before any is written.
        let matchCount = spans.elements.count(where: \.isMatch)
        let (added, isTooMuch) = matchCount.multipliedReportingOverflow(by: content.count)
        try out.requireRoom(for: isTooMuch ? .max : added)
        for index in 0..<spans.count {
            let span = spans[index]
            try Memory.require(out.count + content.count, to: "normalizing a text")
            guard span.isMatch else {
                out.copy(source, Int(span.start), Int(span.end))
                continue
            }
            out.beginAlignment()
            let origin = source.alignment(before: Int(span.end), in: range)
            for byte in content { out.append(byte, origin) }
        }
    }
}

extension TextView {
    /// What a character inserted at a position of a range stands for: what is before it, or the
    /// empty start of the range.
    func alignment(before position: Int, in range: Range<Int>) -> Alignment {
        if position > range.lowerBound { return alignment(at: position - 1) }
        guard position < count else { return Alignment(position, position) }
        let start = Int(alignment(at: position).start)
        return Alignment(start, start)
    }
}
