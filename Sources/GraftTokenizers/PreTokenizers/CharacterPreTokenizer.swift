import GraftFormats
import GraftTensor

/// A pre-tokenizer that splits at every character of a class: Punctuation, Digits, WhitespaceSplit,
/// CharDelimiterSplit.
final class CharacterPreTokenizer: PreTokenizer {
    private let belongs: ScalarTable<Bool>
    private let behavior: SplitBehavior

    init(_ behavior: SplitBehavior, _ belongs: @escaping @Sendable (Unicode.Scalar) -> Bool) {
        self.behavior = behavior
        self.belongs = ScalarTable(surrogateValue: false, compute: belongs)
    }

    func divide(_ text: inout WorkingText) throws(GraftError) {
        try text.split(behavior) { (source, range, spans) throws(GraftError) in
            var start = range.lowerBound
            var position = start
            while position < range.upperBound {
                let (scalar, length) = source.scalar(at: position)
                if belongs[scalar] {
                    if position > start { spans.append(MatchSpan(start, position, isMatch: false)) }
                    spans.append(MatchSpan(position, position + length, isMatch: true))
                    start = position + length
                }
                position += length
            }
            if position > start { spans.append(MatchSpan(start, position, isMatch: false)) }
        }
    }

    static func punctuation(_ settings: JSONObject) throws(GraftError) -> CharacterPreTokenizer {
        CharacterPreTokenizer(
            try SplitBehavior(settings, default: .isolated), CharacterClasses.isPunctuation)
    }

    static func digits(_ settings: JSONObject) throws(GraftError) -> CharacterPreTokenizer {
        CharacterPreTokenizer(
            try settings.bool("individual_digits") ? .isolated : .contiguous, CharacterClasses.isNumber)
    }

    static func whitespace() -> CharacterPreTokenizer {
        CharacterPreTokenizer(.removed, CharacterClasses.isWhitespace)
    }

    static func delimiter(_ settings: JSONObject) throws(GraftError) -> CharacterPreTokenizer {
        let scalars = Array(try settings.string("delimiter").unicodeScalars)
        guard scalars.count == 1 else { throw settings.unexpected("delimiter", expected: "one character") }
        let delimiter = scalars[0]
        return CharacterPreTokenizer(.removed) { $0 == delimiter }
    }
}
