import GraftTensor

/// A stage that rewrites text before it is split: letter case, accents, Unicode forms,
/// replacements.
protocol Normalizer: Sendable {
    /// Appends what becomes of a range of the source. Ranges of one text come in order.
    func normalize(_ source: TextView, _ range: Range<Int>, into out: inout TextBuffer) throws(GraftError)
}
