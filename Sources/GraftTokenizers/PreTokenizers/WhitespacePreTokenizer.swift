import GraftTensor

/// Words by the pattern `\w+|[^\w\s]+`: runs of word characters and runs of what is neither those
/// nor white space.
final class WhitespacePreTokenizer: PreTokenizer {
    private enum Class {
        static let space: UInt8 = 0
        static let word: UInt8 = 1
        static let other: UInt8 = 2
    }
    private let classes = ScalarTable<UInt8>(surrogateValue: Class.other) { scalar in
        if CharacterClasses.isWhitespace(scalar) { return Class.space }
        return CharacterClasses.isWord(scalar) ? Class.word : Class.other
    }

    func divide(_ text: inout WorkingText) throws(GraftError) {
        try text.divide { (source, range, parts) throws(GraftError) in
            var start = range.lowerBound
            var position = start
            var current = Class.space
            while position < range.upperBound {
                let (scalar, length) = source.scalar(at: position)
                let kind = classes[scalar]
                if kind != current {
                    if current != Class.space { parts.append(Piece(start, position)) }
                    start = position
                    current = kind
                }
                position += length
            }
            if current != Class.space { parts.append(Piece(start, position)) }
        }
    }
}
