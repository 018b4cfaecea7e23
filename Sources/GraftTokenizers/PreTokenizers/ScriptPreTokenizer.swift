import GraftTensor

/// SentencePiece's division by script: a word ends where the script changes. Hiragana, katakana and
/// Han are one script; spaces and characters of no script go with the word before them, and are
/// dropped where there is none.
final class ScriptPreTokenizer: PreTokenizer {
    private let scripts = ScalarTable<UInt8>(surrogateValue: 0, compute: UnicodeProperties.script)

    func divide(_ text: inout WorkingText) throws(GraftError) {
        try text.divide { (source, range, parts) throws(GraftError) in
            var start: Int?
            var current: UInt8 = 0
            var position = range.lowerBound
            while position < range.upperBound {
                let (scalar, length) = source.scalar(at: position)
                let script = scripts[scalar]
                if script != 0, script != current {
                    if let start { parts.append(Piece(start, position)) }
                    start = position
                    current = script
                }
                position += length
            }
            if let start { parts.append(Piece(start, range.upperBound)) }
        }
    }
}
