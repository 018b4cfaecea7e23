import GraftFormats
import GraftTensor

/// Drops white space at the ends of the text.
struct StripNormalizer: Normalizer {
    private let stripsLeft: Bool
    private let stripsRight: Bool

    init(_ settings: JSONObject) throws(GraftError) {
        stripsLeft = try settings.bool("strip_left")
        stripsRight = try settings.bool("strip_right")
    }

    func normalize(_ source: TextView, _ range: Range<Int>, into out: inout TextBuffer) throws(GraftError) {
        var start = range.lowerBound
        var end = range.upperBound
        while stripsLeft, start < end {
            let (scalar, length) = source.scalar(at: start)
            guard isSpace(scalar) else { break }
            start += length
        }
        while stripsRight, start < end {
            let previous = source.positionBefore(end)
            guard isSpace(source.scalar(at: previous).value) else { break }
            end = previous
        }
        out.copy(source, start, end)
    }

    private func isSpace(_ value: UInt32) -> Bool {
        Unicode.Scalar(value).map(CharacterClasses.isWhitespace) ?? false
    }
}
