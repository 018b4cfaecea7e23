import GraftFormats
import GraftTensor

/// A regular expression of a `tokenizer.json`, written for Oniguruma, which Hugging Face
/// `tokenizers` runs.
struct TextExpression: Sendable {
    private let kinds: CharacterKinds
    /// Matches texts of kinds.
    private let expression: RegularExpression

    init(_ pattern: String) throws(GraftError) {
        (expression, kinds) = try OnigurumaParser.parse(pattern)
    }

    /// Appends the matches within a range of a text, and the stretches between them, in order. The
    /// pattern sees the range as a text of its own.
    func appendSpans(_ source: TextView, _ range: Range<Int>, to spans: inout Buffer<MatchSpan>) throws(GraftError) {
        let search = try RegularExpression.Search(expression)
        var text = Buffer<UInt8>(capacity: range.count)
        kinds.append(source, range, to: &text)
        var place = Place(source, range, isNarrow: text.count == range.count)
        var position = 0
        var covered = range.lowerBound
        var lastEnd = -1
        while position <= text.count, let match = try search.first(in: text.base, count: text.count, from: position) {
            // An empty match right after a match is none.
            if match.isEmpty, match.upperBound == lastEnd {
                position += 1
                continue
            }
            let start = place.byte(at: match.lowerBound)
            let end = place.byte(at: match.upperBound)
            if start > covered { spans.append(MatchSpan(covered, start, isMatch: false)) }
            spans.append(MatchSpan(start, end, isMatch: true))
            covered = end
            lastEnd = match.upperBound
            position = match.upperBound
        }
        if covered < range.upperBound { spans.append(MatchSpan(covered, range.upperBound, isMatch: false)) }
    }

    /// Finds the bytes of characters whose numbers ascend.
    private struct Place {
        private let source: TextView
        private let first: Int
        /// Whether every character is one byte.
        private let isNarrow: Bool
        private var character = 0
        private var byte: Int

        init(_ source: TextView, _ range: Range<Int>, isNarrow: Bool) {
            self.source = source
            first = range.lowerBound
            byte = range.lowerBound
            self.isNarrow = isNarrow
        }

        mutating func byte(at number: Int) -> Int {
            if isNarrow { return first + number }
            while character < number {
                byte += source.scalar(at: byte).length
                character += 1
            }
            return byte
        }
    }
}

/// A stretch of text that a pattern matched, or one between matches.
struct MatchSpan: BitwiseCopyable {
    var start: Int32
    var end: Int32
    var isMatch: Bool

    init(_ start: Int, _ end: Int, isMatch: Bool) {
        self.start = Int32(truncatingIfNeeded: start)
        self.end = Int32(truncatingIfNeeded: end)
        self.isMatch = isMatch
    }
}
