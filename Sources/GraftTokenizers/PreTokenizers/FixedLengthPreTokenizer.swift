import GraftFormats
import GraftTensor

/// Splits after every so many characters.
struct FixedLengthPreTokenizer: PreTokenizer {
    private let length: Int

    init(_ settings: JSONObject) throws(GraftError) {
        length = try settings.optionalInt("length") ?? 5
        guard length > 0 else { throw settings.unexpected("length", expected: "1 or more") }
    }

    func divide(_ text: inout WorkingText) throws(GraftError) {
        try text.divide { (source, range, parts) throws(GraftError) in
            var start = range.lowerBound
            var position = start
            var characters = 0
            while position < range.upperBound {
                position += source.scalar(at: position).length
                characters += 1
                if characters == length {
                    parts.append(Piece(start, position))
                    start = position
                    characters = 0
                }
            }
            if position > start { parts.append(Piece(start, position)) }
        }
    }
}
