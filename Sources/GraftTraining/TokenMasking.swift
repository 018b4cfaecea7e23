import GraftFormats
import GraftLayers
import GraftTensor

/// Which tokens of a row are to be told from the others (Devlin et al. 2019, 3.1): some of its
/// words at random, anew for every batch of a training.
///
/// Of the tokens so chosen most become the mask, some another token, and the rest stay; each has
/// itself as label, and all others have none. What is chosen depends on the key, the row's place in
/// the batch and the word alone.
package struct TokenMasking: Sendable {
    private let maskToken: Int32
    private let probability: Float
    private let maskShare: Float
    private let randomShare: Float
    private let takesWholeWords: Bool
    let settings: Settings

    static let name = "masking"
    private static let token = Setting.count(
        "mask_token", -1, in: -1...Int(Int32.max), "The token that hides others: there is no default.")
    private static let chosen = Setting.number(
        "mlm_probability", 0.15, in: 0...1, "Of being chosen, of each token or each word.")
    private static let replaced = Setting.number(
        "mask_replace_prob", 0.8, in: 0...1, "Of a chosen token, to become the mask.")
    private static let random = Setting.number(
        "random_replace_prob", 0.1, in: 0...1, "Of a chosen token, to become any token.")
    private static let words = Setting.flag(
        "whole_word_mask", false, "Whether the tokens of a word are chosen together.")

    /// The names of the settings are those of transformers' `DataCollatorForLanguageModeling`.
    package init(json text: String) throws(GraftError) {
        settings = try ofCaller { () throws(GraftError) in
            try Settings(
                try JSON(parsing: text, source: Self.name).requireObject(in: Self.name),
                of: [Self.token, Self.chosen, Self.replaced, Self.random, Self.words], owner: "masking of tokens",
                place: Self.name)
        }
        maskToken = Int32(settings.count(Self.token))
        probability = Float(settings.number(Self.chosen))
        maskShare = Float(settings.number(Self.replaced))
        randomShare = Float(settings.number(Self.random))
        takesWholeWords = settings.flag(Self.words)
        guard maskToken >= 0 else {
            throw GraftError(
                .invalidArgument, "\(Self.name): mask_token is missing; expected the number of the token that masks")
        }
        guard maskShare + randomShare <= 1.000_001 else {
            throw GraftError(
                .invalidArgument,
                "\(Self.name): mask_replace_prob and random_replace_prob are \(maskShare) and \(randomShare); expected "
                    + "at most 1 together")
        }
    }

    func check(vocabularySize: Int) throws(GraftError) {
        guard Int(maskToken) < vocabularySize else {
            throw GraftError(
                .invalidArgument,
                "\(Self.name): mask_token is \(maskToken); the vocabulary has \(vocabularySize) tokens")
        }
    }

    /// Makes `masked` the rows of a batch with some of their tokens hidden.
    func mask(_ batch: RowBatch, into masked: inout RowBatch, key: UInt64, vocabularySize: Int) throws(GraftError) {
        guard let words = batch.column(.tokenWords) else { return }
        try masked.become(batch, labelled: .tokenLabels) { row, tokens, labels in
            let first = batch.range(ofRow: row).lowerBound
            let rowKey = mixed(key, UInt64(row))
            var word = -1
            for place in tokens.indices {
                let number = words.integers[first + place]
                guard number >= 0 else { continue }
                if !takesWholeWords || place == 0 || words.integers[first + place - 1] != number { word = place }
                guard Self.uniform(mixed(rowKey, UInt64(2 * word))) < probability else { continue }
                labels[place] = tokens[place]
                let random = mixed(rowKey, UInt64(2 * place + 1))
                let share = Self.uniform(random)
                if share < maskShare {
                    tokens[place] = maskToken
                } else if share < maskShare + randomShare {
                    tokens[place] = Int32(mixed(random, 0) % UInt64(vocabularySize))
                }
            }
        }
    }

    /// In [0, 1), of the upper 24 bits.
    private static func uniform(_ bits: UInt64) -> Float { Float(bits >> 40) * 0x1p-24 }
}
