import GraftFormats
import GraftTensor

/// Puts a fixed text before the text. It stands for the text's first character.
struct PrependNormalizer: Normalizer {
    private let content: [UInt8]

    init(_ settings: JSONObject) throws(GraftError) {
        content = Array(try settings.string("prepend").utf8)
    }

    func normalize(_ source: TextView, _ range: Range<Int>, into out: inout TextBuffer) throws(GraftError) {
        guard !range.isEmpty else { return }
        try out.requireRoom(for: content.count)
        out.prepend(content, to: source, range)
        out.copy(source, range.lowerBound, range.upperBound)
    }
}

extension TextBuffer {
    /// Writes bytes that stand for the first character of a range, which is not empty.
    mutating func prepend(_ content: [UInt8], to source: TextView, _ range: Range<Int>) {
        guard !content.isEmpty else { return }
        beginAlignment()
        let origin = source.alignment(at: range.lowerBound)
        for byte in content { append(byte, origin) }
    }
}
