import GraftFormats
import GraftTensor

/// Splits at the matches of a pattern, or with `invert` at what is between them.
struct SplitPreTokenizer: PreTokenizer {
    private let pattern: Pattern
    private let behavior: SplitBehavior
    private let isInverted: Bool

    init(_ settings: JSONObject) throws(GraftError) {
        pattern = try Pattern(settings)
        behavior = try SplitBehavior(settings)
        isInverted = try settings.bool("invert")
    }

    func divide(_ text: inout WorkingText) throws(GraftError) {
        try text.split(behavior) { (source, range, spans) throws(GraftError) in
            try pattern.appendSpans(source, range, to: &spans)
            guard isInverted else { return }
            for index in 0..<spans.count { spans[index].isMatch.toggle() }
        }
    }
}
