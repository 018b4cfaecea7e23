import GraftFormats
import GraftTensor

/// Joins WordPiece tokens: a space before each but those that continue a word, whose prefix goes; with cleanup, no space
/// before punctuation and English contractions.
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
            if cleansUp { Self.cleanUp(&text) }
            joined.append(text)
        }
        return joined
    }

    /// Applied to each token by itself, in this order, as Hugging Face `tokenizers` does.
    private static let replacements: [(of: [UInt8], with: [UInt8])] = [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ].map { (Array($0.utf8), Array($1.utf8)) }

    private static func cleanUp(_ text: inout [UInt8]) {
        guard text.contains(UInt8(ascii: " ")) else { return }
        for (pattern, replacement) in replacements { text = ByteSearch.replacing(pattern, with: replacement, in: text) }
    }
}
