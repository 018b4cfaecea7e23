import GraftTensor

/// BERT's words: white space separates and is dropped, every punctuation character is a word of its
/// own.
final class BertPreTokenizer: PreTokenizer {
    private enum Class {
        static let letter: UInt8 = 0
        static let space: UInt8 = 1
        static let punctuation: UInt8 = 2
        static let notASCII: UInt8 = 3
    }
    private let classes: ScalarTable<UInt8>
    /// Indexed by any byte.
    private let byteClasses: [UInt8]

    init() {
        classes = ScalarTable(surrogateValue: Class.letter) { Self.classOf($0) }
        byteClasses = (0...255).map { $0 < 0x80 ? Self.classOf(Unicode.Scalar(UInt8($0))) : Class.notASCII }
    }

    private static func classOf(_ scalar: Unicode.Scalar) -> UInt8 {
        if CharacterClasses.isWhitespace(scalar) { return Class.space }
        return CharacterClasses.isPunctuation(scalar) ? Class.punctuation : Class.letter
    }

    func divide(_ text: inout WorkingText) throws(GraftError) {
        try byteClasses.withUnsafeBufferPointer { byteClasses throws(GraftError) in
            try text.divide { (source, range, parts) throws(GraftError) in
                var start = range.lowerBound
                var position = start
                while position < range.upperBound {
                    var length = 1
                    var kind = byteClasses[Int(source[position])]
                    if kind == Class.notASCII {
                        let scalar = source.scalar(at: position)
                        length = scalar.length
                        kind = classes[scalar.value]
                    }
                    if kind != Class.letter {
                        if position > start { parts.append(Piece(start, position)) }
                        if kind == Class.punctuation { parts.append(Piece(position, position + length)) }
                        start = position + length
                    }
                    position += length
                }
                if position > start { parts.append(Piece(start, position)) }
            }
        }
    }
}
