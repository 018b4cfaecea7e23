import GraftTensor

/// Texts that a model wrote, beside those that people wrote: what BLEU and chrF are made of. ROUGE
/// is a mean of what each row is worth.
struct WrittenTexts: Sendable {
    private var bleu = SummedRows(width: Bleu.width)
    private var chrf = SummedRows(width: Chrf.width)

    static let measures =
        [
            Measure("bleu") { $0.written.rowCount == 0 ? .nan : Bleu.score($0.written.bleu.sums($0.repeats)) },
            Measure("chrf") { $0.written.rowCount == 0 ? .nan : Chrf.score($0.written.chrf.sums($0.repeats)) },
        ] + Rouge.names.map { name in Measure(name) { $0.rows.mean(name, $0.repeats) } }

    var rowCount: Int { bleu.rowCount }

    /// A row with one reference or more; what it is worth by itself.
    mutating func add(
        _ written: String, _ references: ArraySlice<String>, _ tokens: WrittenTokens
    ) throws(GraftError) -> [(name: String, value: Double)] {
        let (text, known) = (ScalarText(written), references.map { ScalarText($0) })
        // An array for each token, of which a character may be one.
        let arrays = 512 * known.reduce(text.count) { $0 + $1.count }
        let rows = known.lazy.map { CommonSubsequences.byteCount($0.count, text.count, keepsRows: true) }.max() ?? 0
        try Memory.require(arrays + rows, to: "comparing texts")
        var numbers = WordNumbers()
        bleu.add(
            Bleu.statistics(
                numbers.numbered(tokens.tokens(text)), known.map { numbers.numbered(tokens.tokens($0)) }))
        chrf.add(Chrf.statistics(text, known))
        let given = Rouge.Text(text, tokens, &numbers)
        let values = Rouge.values(given, known.map { Rouge.Text($0, tokens, &numbers) })
        return zip(Rouge.names, values).map { ($0, $1) }
    }

    func followed(by other: WrittenTexts) -> WrittenTexts {
        var both = self
        both.bleu = bleu.followed(by: other.bleu)
        both.chrf = chrf.followed(by: other.chrf)
        return both
    }
}
