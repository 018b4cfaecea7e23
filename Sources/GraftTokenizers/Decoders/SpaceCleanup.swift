/// Spaces before punctuation and English contractions taken away: each replacement in turn,
/// everywhere.
struct SpaceCleanup: Sendable {
    private let replacements: [(of: [UInt8], with: [UInt8])]

    private init(_ replacements: [(String, String)]) {
        self.replacements = replacements.map { (Array($0.utf8), Array($1.utf8)) }
    }

    /// What Hugging Face `tokenizers` does to each token by itself.
    static let ofTokens = SpaceCleanup([
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ])

    /// What transformers does to a whole text where `clean_up_tokenization_spaces` is on.
    static let ofTexts = SpaceCleanup([
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" 's", "'s"),
        (" 've", "'ve"), (" 're", "'re"),
    ])

    func apply(to text: inout [UInt8]) {
        guard text.contains(UInt8(ascii: " ")) else { return }
        for (pattern, replacement) in replacements { text = ByteSearch.replacing(pattern, with: replacement, in: text) }
    }
}
