import GraftFormats
import GraftTensor

/// Joins WordPiece tokens: a space before each but those that continue a word, whose prefix goes;
/// with cleanup, no space before punctuation and English contractions.
struct WordPieceDecoder: TokenDecoder {
    private let prefix: [UInt8]
    private let cleansUp: Bool

    init(prefix: String, cleansUp: Bool) {
        self.prefix = Array(prefix.utf8)
        self.cleansUp = cleansUp
    }

    init(_ settings: JSONObject) throws(GraftError) {
        self.init(
            prefix: try settings.optionalString("prefix") ?? "##",
            cleansUp: try settings.optionalBool("cleanup") ?? true)
    }

    /// Whether it is the decoder of BERT's class.
    var isStandard: Bool { cleansUp && prefix == Array("##".utf8) }

    func decode(_ tokens: TokenTexts) -> TokenTexts {
        var joined = TokenTexts()
        for index in 0..<tokens.count {
            let token = tokens[index]
            var text: [UInt8]
            if index == 0 {
                text = Array(token)
            } else if token.starts(with: prefix) {
                text = Array(token.dropFirst(prefix.count))
            } else {
                text = [UInt8(ascii: " ")] + token
            }
            if cleansUp { SpaceCleanup.ofTokens.apply(to: &text) }
            joined.append(text)
        }
        return joined
    }
}
