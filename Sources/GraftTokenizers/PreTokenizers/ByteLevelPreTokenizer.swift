import GraftFormats
import GraftTensor

/// GPT-2's words: split with its regular expression, a space going with the word after it, and
/// spelled byte by byte with printable characters (Radford et al. 2019). `use_regex` off only
/// spells.
struct ByteLevelPreTokenizer: PreTokenizer {
    private(set) var addsPrefixSpace: Bool
    private let expression: TextExpression?

    private static let words =
        #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    init(_ settings: JSONObject) throws(GraftError) {
        addsPrefixSpace = try settings.bool("add_prefix_space")
        expression = try settings.optionalBool("use_regex") ?? true ? try TextExpression(Self.words) : nil
    }

    func addingPrefixSpace(_ adds: Bool) -> ByteLevelPreTokenizer {
        var changed = self
        changed.addsPrefixSpace = adds
        return changed
    }

    func divide(_ text: inout WorkingText) throws(GraftError) {
        if addsPrefixSpace {
            try text.rewrite { (source, range, out) throws(GraftError) in
                if source[range.lowerBound] != UInt8(ascii: " ") {
                    out.prepend([UInt8(ascii: " ")], to: source, range)
                }
                out.copy(source, range.lowerBound, range.upperBound)
            }
        }
        if let expression {
            try text.split(.isolated) { (source, range, spans) throws(GraftError) in
                try expression.appendSpans(source, range, to: &spans)
            }
        }
        try text.rewrite { (source, range, out) throws(GraftError) in
            ByteLevelAlphabet.spell(source, range, into: &out)
        }
    }
}
