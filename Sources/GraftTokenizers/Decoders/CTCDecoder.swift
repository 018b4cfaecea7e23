import GraftFormats
import GraftTensor

/// Reads what connectionist temporal classification (Graves et al. 2006) gives: of equal tokens in
/// a row one stays, blanks go, and with cleanup the mark between words becomes a space.
struct CTCDecoder: TokenDecoder {
    private let blank: [UInt8]
    private let delimiter: [UInt8]
    private let cleansUp: Bool

    init(_ settings: JSONObject) throws(GraftError) {
        blank = Array(try settings.string("pad_token").utf8)
        delimiter = Array(try settings.string("word_delimiter_token").utf8)
        guard !delimiter.isEmpty else {
            throw settings.unexpected("word_delimiter_token", expected: "a text that is not empty")
        }
        cleansUp = try settings.bool("cleanup")
    }

    func decode(_ tokens: TokenTexts) -> TokenTexts {
        var result = TokenTexts()
        for index in 0..<tokens.count where index == 0 || tokens[index] != tokens[index - 1] {
            var text = ByteSearch.replacing(blank, with: [], in: Array(tokens[index]))
            if cleansUp {
                SpaceCleanup.ofTokens.apply(to: &text)
                text = ByteSearch.replacing(delimiter, with: [UInt8(ascii: " ")], in: text)
            }
            if !text.isEmpty { result.append(text) }
        }
        return result
    }
}
