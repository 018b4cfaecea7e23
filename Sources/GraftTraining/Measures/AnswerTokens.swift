/// Texts of answers as the evaluation scripts of SQuAD and CMRC compare them: their tokens, end to
/// end, since an array of each would take longer than comparing them. One is read into again and
/// again, which takes memory for the longest text alone.
struct AnswerTokens {
    private var scalars = ScalarText()
    /// Where each token ends.
    private var ends: [Int] = []
    /// Where the word begins that the last scalars are of.
    private var word = 0

    var count: Int { ends.count }
    var isEmpty: Bool { ends.isEmpty }

    private mutating func clear() {
        scalars.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        word = 0
    }

    /// Ends the last token, unless it is empty.
    private mutating func close() {
        if scalars.count > ends.last ?? 0 { ends.append(scalars.count) }
    }
}

/// SQuAD's `normalize_answer`: in lower case, without ASCII punctuation and without the words "a",
/// "an" and "the", split at white space.
extension AnswerTokens {
    mutating func readSQuAD(_ text: String) {
        clear()
        var text = text
        let isASCII = text.withUTF8 { bytes in
            guard bytes.allSatisfy({ $0 < 0x80 }) else { return false }
            for byte in bytes {
                let isCapital = ("A"..."Z").contains(Unicode.Scalar(byte))
                take(Unicode.Scalar(isCapital ? byte | 0x20 : byte))
            }
            return true
        }
        if !isASCII { ScalarText(text).lowercased.forEach { take($0) } }
        endWord()
        close()
    }

    /// A scalar in lower case.
    @inline(__always)
    private mutating func take(_ scalar: Unicode.Scalar) {
        switch Kind(scalar) {
        case .word: scalars.append(scalar)
        case .punctuation: break
        case .space:
            endWord()
            close()
        case .other:
            endWord()
            scalars.append(scalar)
            word = scalars.count
        }
    }

    /// Drops the last word if it is an article, where a token then ends.
    private mutating func endWord() {
        if isArticle {
            scalars.removeLast(scalars.count - word)
            close()
        }
        word = scalars.count
    }

    private var isArticle: Bool {
        switch scalars.count - word {
        case 1: scalars[word] == "a"
        case 2: scalars[word] == "a" && scalars[word + 1] == "n"
        case 3: scalars[word] == "t" && scalars[word + 1] == "h" && scalars[word + 2] == "e"
        default: false
        }
    }

    private enum Kind {
        /// Letters and numbers, as Python's `\w`, whose "_" is punctuation here.
        case word
        case punctuation, space, other

        @inline(__always)
        init(_ scalar: Unicode.Scalar) {
            self =
                switch scalar {
                case "a"..."z", "0"..."9", "A"..."Z": .word
                case "!"..."/", ":"..."@", "["..."`", "{"..."~": .punctuation
                case "\t"..."\r", "\u{1C}"..." ": .space
                case "\0"..."\u{7F}": .other
                default: Kind(beyondASCII: scalar)
                }
        }

        private init(beyondASCII scalar: Unicode.Scalar) {
            if scalar.isHan || scalar.isSpace {
                self = scalar.isHan ? .word : .space
                return
            }
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
                .letterNumber, .otherNumber:
                self = .word
            default: self = .other
            }
        }
    }
}

/// CMRC's `mixed_segmentation` without punctuation: each Chinese character by itself, and what
/// stands between them in words, which end at spaces and at punctuation as NLTK's do.
extension AnswerTokens {
    /// CMRC's `remove_punctuation`.
    static func withoutPunctuation(_ text: String) -> ScalarText {
        var plain = ScalarText(text).lowercased.trimmed
        plain.removeAll(where: isChinesePunctuation)
        return plain
    }

    mutating func readCMRC(_ plain: ScalarText) {
        clear()
        var run = 0
        for (place, scalar) in plain.enumerated() where ("\u{4e00}"..."\u{9fa5}").contains(scalar) {
            addWords(plain[run..<place])
            scalars.append(scalar)
            close()
            run = place + 1
        }
        addWords(plain[run...])
    }

    private mutating func addWords(_ run: ArraySlice<Unicode.Scalar>) {
        guard let last = run.lastIndex(where: { !$0.isSpace }) else { return }
        for place in run.startIndex...last {
            let scalar = run[place]
            if scalar.isSpace {
                close()
            } else if Self.separates(scalar) || (place == last && scalar == ".")
                || (scalar == "," && (place == last || !run[place + 1].isDigit))
            {
                close()
                scalars.append(scalar)
                close()
            } else {
                scalars.append(scalar)
            }
        }
        close()
    }

    private static func separates(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "?", "!", ";", "@", "#", "$", "%", "&", "(", ")", "[", "]", "{", "}", "<", ">", "\"": true
        default: false
        }
    }

    private static func isChinesePunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "-", ":", "_", "*", "^", "/", "\\", "~", "`", "+", "=", "，", "。", "：", "？", "！", "“", "”", "；", "’",
            "《", "》", "…", "·", "、", "「", "」", "（", "）", "－", "～", "『":
            true
        default: false
        }
    }
}

extension AnswerTokens: Equatable {
    static func == (one: AnswerTokens, other: AnswerTokens) -> Bool {
        one.ends == other.ends && one.scalars == other.scalars
    }

    /// How many tokens both have, as often as both have them.
    func countShared(with other: AnswerTokens) -> Int {
        // Short texts, as most answers are, are compared token by token.
        guard other.count <= 64, count * other.count <= 256 else { return countSharedOfMany(with: other) }
        var (shared, taken) = (0, UInt64(0))
        for token in 0..<count {
            for place in 0..<other.count where taken & 1 << UInt64(place) == 0 && isSame(token, place, of: other) {
                taken |= 1 << UInt64(place)
                shared += 1
                break
            }
        }
        return shared
    }

    private func countSharedOfMany(with other: AnswerTokens) -> Int {
        var left: [ArraySlice<Unicode.Scalar>: Int] = [:]
        for token in 0..<count { left[self[token], default: 0] += 1 }
        return (0..<other.count).count { place in
            guard let own = left[other[place]], own > 0 else { return false }
            left[other[place]] = own - 1
            return true
        }
    }

    /// The length of the longest run of tokens that both have.
    func longestRunShared(with other: AnswerTokens) -> Int {
        var lengths = Array(repeating: 0, count: other.count + 1)
        var longest = 0
        for token in 0..<count {
            for place in (0..<other.count).reversed() {
                lengths[place + 1] = isSame(token, place, of: other) ? lengths[place] + 1 : 0
                longest = max(longest, lengths[place + 1])
            }
        }
        return longest
    }

    private subscript(token: Int) -> ArraySlice<Unicode.Scalar> { scalars[start(of: token)..<ends[token]] }

    private func start(of token: Int) -> Int { token == 0 ? 0 : ends[token - 1] }

    @inline(__always)
    private func isSame(_ token: Int, _ place: Int, of other: AnswerTokens) -> Bool {
        let (first, otherFirst) = (start(of: token), other.start(of: place))
        let count = ends[token] - first
        return count == other.ends[place] - otherFirst
            && (0..<count).allSatisfy { scalars[first + $0] == other.scalars[otherFirst + $0] }
    }
}
