import GraftFormats
import GraftTensor

/// What a stage looks for in text: `{"String": "…"}` or `{"Regex": "…"}`.
enum Pattern: Sendable {
    case literal([UInt8])
    case expression(TextExpression)

    init(_ settings: JSONObject) throws(GraftError) {
        let pattern = try settings.object("pattern")
        if let text = try pattern.optionalString("String") {
            guard !text.isEmpty else { throw pattern.unexpected("String", expected: "a text that is not empty") }
            self = .literal(Array(text.utf8))
        } else {
            self = .expression(try TextExpression(try pattern.string("Regex")))
        }
    }

    /// Appends the matches within a range, and the stretches between them, in order.
    func appendSpans(_ source: TextView, _ range: Range<Int>, to spans: inout Buffer<MatchSpan>) throws(GraftError) {
        switch self {
        case .expression(let expression): try expression.appendSpans(source, range, to: &spans)
        case .literal(let text):
            let bytes = source.bytes
            var covered = range.lowerBound
            while let start = ByteSearch.first(text, in: bytes, from: covered, to: range.upperBound) {
                if start > covered { spans.append(MatchSpan(covered, start, isMatch: false)) }
                spans.append(MatchSpan(start, start + text.count, isMatch: true))
                covered = start + text.count
            }
            if covered < range.upperBound { spans.append(MatchSpan(covered, range.upperBound, isMatch: false)) }
        }
    }
}

/// What becomes of the matches when text is split at them.
enum SplitBehavior: String, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"

    init(_ settings: JSONObject, default standard: SplitBehavior? = nil) throws(GraftError) {
        if let standard, settings["behavior"] == nil {
            self = standard
            return
        }
        guard let behavior = SplitBehavior(rawValue: try settings.string("behavior")) else {
            throw settings.unexpected(
                "behavior", expected: "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous")
        }
        self = behavior
    }

    /// Appends the parts that stay. The spans cover the text in order.
    func appendParts(of spans: borrowing Buffer<MatchSpan>, to parts: inout Buffer<Piece>) {
        let first = parts.count
        var wasMatch = false
        for index in 0..<spans.count {
            let span = spans[index]
            if parts.count > first, joins(span.isMatch, after: wasMatch) {
                parts[parts.count - 1].end = span.end
            } else if !(self == .removed && span.isMatch) {
                parts.append(Piece(Int(span.start), Int(span.end)))
            }
            wasMatch = span.isMatch
        }
        var kept = first
        for index in first..<parts.count where parts[index].start < parts[index].end {
            parts[kept] = parts[index]
            kept += 1
        }
        parts.count = kept
    }

    /// Whether a span belongs to the part before it.
    @inline(__always)
    private func joins(_ isMatch: Bool, after wasMatch: Bool) -> Bool {
        switch self {
        case .removed, .isolated: false
        case .mergedWithPrevious: isMatch && !wasMatch
        case .mergedWithNext: !isMatch && wasMatch
        case .contiguous: isMatch == wasMatch
        }
    }
}
