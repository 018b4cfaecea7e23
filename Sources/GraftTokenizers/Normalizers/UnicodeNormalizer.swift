import GraftTensor

/// NFC, NFD, NFKC and NFKD.
///
/// Text that is in the form already, which nearly all text is, is passed over with one table lookup
/// per character; only the stretches that are not are decomposed, ordered and composed.
final class UnicodeNormalizer: Normalizer {
    private let form: UnicodeForm
    private let isInert: ScalarTable<Bool>

    init(_ form: UnicodeForm) {
        self.form = form
        isInert = ScalarTable(surrogateValue: true) { form.isInert($0) }
    }

    func normalize(_ source: TextView, _ range: Range<Int>, into out: inout TextBuffer) throws(GraftError) {
        var copied = range.lowerBound
        var position = range.lowerBound
        while position < range.upperBound {
            if source[position] < 0x80 {
                position += 1
                continue
            }
            let (scalar, length) = source.scalar(at: position)
            if isInert[scalar] {
                position += length
                continue
            }
            // What is not inert may compose with the character before it.
            let first = form.isComposed && position > copied ? source.positionBefore(position) : position
            let end = endOfStretch(source, from: position, to: range.upperBound)
            out.copy(source, copied, first)
            rewrite(source, first..<end, into: &out)
            copied = end
            position = end
        }
        out.copy(source, copied, range.upperBound)
    }

    private func endOfStretch(_ source: TextView, from start: Int, to limit: Int) -> Int {
        var position = start
        while position < limit {
            let (scalar, length) = source.scalar(at: position)
            if isInert[scalar] { break }
            position += length
        }
        return position
    }

    private func rewrite(_ source: TextView, _ range: Range<Int>, into out: inout TextBuffer) {
        var scalars: [Unicode.Scalar] = []
        var position = range.lowerBound
        while position < range.upperBound {
            let (value, length) = source.scalar(at: position)
            scalars.append(Unicode.Scalar(value) ?? "\u{FFFD}")
            position += length
        }
        var transform = Transform(source, range, into: &out)
        for step in form.steps(scalars) { transform.write(step.scalar, change: step.change, into: &out) }
    }
}
