/// Texts of answers as the evaluation scripts of SQuAD and CMRC compare them, scalar by scalar.
enum AnswerText {
    typealias Token = ScalarText

    /// SQuAD's `normalize_answer`, in tokens: in lower case, without ASCII punctuation and without
    /// the words "a", "an" and "the".
    static func tokens(_ text: String) -> AnswerTokens {
        let plain = withoutASCIIPunctuation(text)
        var tokens = AnswerTokens(capacity: plain.count)
        var place = 0
        while place < plain.count {
            var end = place
            while end < plain.count, isWord(plain[end]) { end += 1 }
            if isArticle(plain[place..<end]) {
                tokens.close()
            } else {
                tokens.append(plain[place..<end])
            }
            if end < plain.count {
                if plain[end].isSpace { tokens.close() } else { tokens.append(plain[end...end]) }
            }
            place = end + 1
        }
        tokens.close()
        return tokens
    }

    /// In lower case.
    private static func withoutASCIIPunctuation(_ text: String) -> ScalarText {
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
            return ScalarText(text).lowercased.filter { !isPunctuation($0) }
        }
        var plain = ScalarText()
        plain.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(("A"..."Z").contains(Unicode.Scalar(byte)) ? byte | 0x20 : byte)
            if !isPunctuation(scalar) { plain.append(scalar) }
        }
        return plain
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

    private static func isArticle(_ word: ArraySlice<Unicode.Scalar>) -> Bool {
        switch word.count {
        case 1: word.first == "a"
        case 2: word.first == "a" && word.last == "n"
        case 3: word.first == "t" && word[word.startIndex + 1] == "h" && word.last == "e"
        default: false
        }
    }

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

/// Tokens end to end, since an array of each would take longer than comparing them.
struct AnswerTokens: Equatable {
    private var scalars = ScalarText()
    /// Where each token ends.
    private var ends: [Int] = []

    init(capacity: Int) {
        scalars.reserveCapacity(capacity)
        ends.reserveCapacity(capacity / 4 + 1)
    }

    var count: Int { ends.count }
    var isEmpty: Bool { ends.isEmpty }

    subscript(token: Int) -> ArraySlice<Unicode.Scalar> { scalars[(token == 0 ? 0 : ends[token - 1])..<ends[token]] }

    /// Adds to the last token.
    mutating func append(_ part: ArraySlice<Unicode.Scalar>) { scalars += part }

    /// Ends the last token, unless it is empty.
    mutating func close() {
        if scalars.count > ends.last ?? 0 { ends.append(scalars.count) }
    }

    /// How many tokens both have, as often as both have them.
    func countShared(with other: AnswerTokens) -> Int {
        // Short texts, as most answers are, are compared token by token.
        guard count * other.count > 64 else {
            var (shared, taken) = (0, UInt64(0))
            for token in 0..<count {
                for place in 0..<other.count where taken & 1 << UInt64(place) == 0 && other[place] == self[token] {
                    taken |= 1 << UInt64(place)
                    shared += 1
                    break
                }
            }
            return shared
        }
        var left: [ArraySlice<Unicode.Scalar>: Int] = [:]
        for token in 0..<count { left[self[token], default: 0] += 1 }
        return (0..<other.count).count { place in
            guard let own = left[other[place]], own > 0 else { return false }
            left[other[place]] = own - 1
            return true
        }
    }
}
