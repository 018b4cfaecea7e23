/// Texts of answers as the evaluation scripts of SQuAD and CMRC compare them, scalar by scalar.
enum AnswerText {
    typealias Token = [Unicode.Scalar]

    /// SQuAD's `normalize_answer`, in tokens: in lower case, without ASCII punctuation and without
    /// the words "a", "an" and "the".
    static func tokens(_ text: String) -> [Token] {
        let plain = lowercased(text).filter { !isPunctuation($0) }
        var tokens: [Token] = []
        var token: Token = []
        func close() {
            if !token.isEmpty { tokens.append(token) }
            token = []
        }
        var place = 0
        while place < plain.count {
            var end = place
            while end < plain.count, isWord(plain[end]) { end += 1 }
            let word = plain[place..<end]
            if articles.contains(where: word.elementsEqual) {
                close()
            } else {
                token += word
            }
            if end < plain.count {
                if isSpace(plain[end]) { close() } else { token.append(plain[end]) }
            }
            place = end + 1
        }
        close()
        return tokens
    }

    /// CMRC's `remove_punctuation`.
    static func withoutPunctuation(_ text: String) -> Token {
        trimmed(lowercased(text)).filter { !chinesePunctuation.contains($0) }
    }

    /// CMRC's `mixed_segmentation` without punctuation: each Chinese character by itself, and what
    /// stands between them in words, which end at spaces and at punctuation as NLTK's do.
    static func segments(_ plain: Token) -> [Token] {
        var segments: [Token] = []
        var run: Token = []
        for scalar in plain {
            if ("\u{4e00}"..."\u{9fa5}").contains(scalar) {
                segments += words(run) + [[scalar]]
                run = []
            } else {
                run.append(scalar)
            }
        }
        return segments + words(run)
    }

    private static func words(_ run: Token) -> [Token] {
        var words: [Token] = []
        let run = trimmed(run)
        var word: Token = []
        func close() {
            if !word.isEmpty { words.append(word) }
            word = []
        }
        for (place, scalar) in run.enumerated() {
            let isLast = place == run.count - 1
            if isSpace(scalar) {
                close()
            } else if separators.contains(scalar) || (isLast && scalar == ".")
                || (scalar == "," && (isLast || !("0"..."9").contains(run[place + 1])))
            {
                close()
                words.append([scalar])
            } else {
                word.append(scalar)
            }
        }
        close()
        return words
    }

    private static let articles = ["a", "an", "the"].map { Array($0.unicodeScalars) }
    private static let separators = Set("?!;@#$%&()[]{}<>\"".unicodeScalars)
    private static let chinesePunctuation = Set("-:_*^/\\~`+=，。：？！“”；’《》…·、「」（）－～『』".unicodeScalars)

    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "!"..."/", ":"..."@", "["..."`", "{"..."~": true
        default: false
        }
    }

    private static func trimmed(_ text: Token) -> Token {
        guard let first = text.firstIndex(where: { !isSpace($0) }),
            let last = text.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return Array(text[first...last])
    }

    /// As Python's `str.lower`, which writes a sigma at the end of a word as such.
    private static func lowercased(_ text: String) -> Token {
        let scalars = Array(text.unicodeScalars)
        var lower: Token = []
        for (place, scalar) in scalars.enumerated() {
            if scalar.isASCII {
                lower.append(("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar)
            } else if scalar == "\u{3a3}", endsWord(scalars, place) {
                lower.append("\u{3c2}")
            } else {
                lower += scalar.properties.lowercaseMapping.unicodeScalars
            }
        }
        return lower
    }

    private static func endsWord(_ scalars: Token, _ place: Int) -> Bool {
        func isCased(_ next: Unicode.Scalar?) -> Bool { next?.properties.isCased ?? false }
        return isCased(scalars[..<place].last { !$0.properties.isCaseIgnorable })
            && !isCased(scalars[(place + 1)...].first { !$0.properties.isCaseIgnorable })
    }

    /// Letters, numbers and "_", as Python's `\w`.
    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            return ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
                || scalar == "_"
        }
        return switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            true
        default: false
        }
    }

    /// As Python's `str.isspace`.
    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 9...13, 28...32, 0x85, 0xa0, 0x1680, 0x2000...0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000: true
        default: false
        }
    }
}
