import GraftFormats
import GraftTensor

/// Expressions of a `tokenizer.json`, written for Oniguruma.
extension RegularExpression {
    convenience init(oniguruma pattern: String) throws(GraftError) {
        let translated = try RegexTranslation.translate(pattern)
        do throws(GraftError) {
            try self.init(translated, .multiline, orThrow: .unsupported)
        } catch {
            throw GraftError(
                error.code, "the regular expression \"\(pattern)\" is not understood: \(error.message)")
        }
    }

    /// Appends the matches within a range of a text, and the stretches between them, in order. The pattern sees the range
    /// as a text of its own.
    func appendSpans(_ source: TextView, _ range: Range<Int>, to spans: inout Buffer<MatchSpan>) throws(GraftError) {
        let search = try Search(self)
        let text = source.base + range.lowerBound
        var position = 0
        var covered = 0
        var lastEnd = -1
        while position <= range.count, let match = try search.first(in: text, count: range.count, from: position) {
            // An empty match right after a match is none.
            if match.isEmpty, match.upperBound == lastEnd {
                guard position < range.count else { break }
                position += source.scalar(at: range.lowerBound + position).length
                continue
            }
            if match.lowerBound > covered {
                spans.append(
                    MatchSpan(range.lowerBound + covered, range.lowerBound + match.lowerBound, isMatch: false))
            }
            spans.append(
                MatchSpan(range.lowerBound + match.lowerBound, range.lowerBound + match.upperBound, isMatch: true))
            covered = match.upperBound
            lastEnd = match.upperBound
            position = match.upperBound
        }
        if covered < range.count {
            spans.append(MatchSpan(range.lowerBound + covered, range.upperBound, isMatch: false))
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
