import GraftTensor

/// Spells every byte of the text with a printable character (see `ByteLevelAlphabet`).
struct ByteLevelNormalizer: Normalizer {
    func normalize(_ source: TextView, _ range: Range<Int>, into out: inout TextBuffer) throws(GraftError) {
        ByteLevelAlphabet.spell(source, range, into: &out)
    }
}
