/// Texts of answers as the evaluation scripts of SQuAD and CMRC compare them, scalar by scalar.
enum AnswerText {
    typealias Token = ScalarText

    /// SQuAD's `normalize_answer`, in tokens: in lower case, without ASCII punctuation and without
    /// the words "a", "an" and "the".
    static func tokens(_ text: String) -> [Token] {
        let plain = ScalarText(text).lowercased.filter { !isPunctuation($0) }
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
                if plain[end].isSpace { close() } else { token.append(plain[end]) }
            }
            place = end + 1
        }
        close()
        return tokens
    }

    /// CMRC's `remove_punctuation`.
    static func withoutPunctuation(_ text: String) -> Token {
        ScalarText(text).lowercased.trimmed.filter { !chinesePunctuation.contains($0) }
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
        let run = run.trimmed
        var word: Token = []
        func close() {
            if !word.isEmpty { words.append(word) }
            word = []
        }
        for (place, scalar) in run.enumerated() {
            let isLast = place == run.count - 1
            if scalar.isSpace {
                close()
            } else if separators.contains(scalar) || (isLast && scalar == ".")
                || (scalar == "," && (isLast || !run[place + 1].isDigit))
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
}
