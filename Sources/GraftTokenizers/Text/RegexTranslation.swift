import GraftTensor

/// Spells a regular expression for Oniguruma, as Hugging Face `tokenizers` runs it, in PCRE2's terms.
///
/// The two agree on nearly everything the patterns of tokenizers use. What differs: the characters that `\s`, `\w`,
/// `\d` and `\h` stand for, characters that came with Unicode 15 and 16 and may be too young for the PCRE2 at hand, and
/// set operations inside brackets, which PCRE2 lacks: those are refused.
struct RegexTranslation {
    private let pattern: [Unicode.Scalar]
    private var position = 0
    private var result = ""
    /// Whether the position is inside brackets.
    private var isInClass = false

    static func translate(_ pattern: String) throws(GraftError) -> String {
        var translation = RegexTranslation(pattern: Array(pattern.unicodeScalars))
        try translation.run()
        return translation.result
    }

    private init(pattern: [Unicode.Scalar]) {
        self.pattern = pattern
    }

    private mutating func run() throws(GraftError) {
        while let scalar = next() {
            switch scalar {
            case "\\": try escape()
            case "[": try openBracket()
            case "]" where isInClass:
                isInClass = false
                result += "]"
            case "&" where isInClass && peek == "&": throw unsupported("the intersection && inside brackets")
            case "{" where !isInClass && peek == ",": result += "{0"
            case "}" where !isInClass && peek == "+": throw unsupported("a repeated repetition such as {1,3}+")
            case "(" where !isInClass && peek == "*": throw unsupported("a verb such as (*FAIL)")
            case "(" where !isInClass: openGroup()
            default: result.unicodeScalars.append(scalar)
            }
        }
    }

    private var peek: Unicode.Scalar? { position < pattern.count ? pattern[position] : nil }

    private mutating func next() -> Unicode.Scalar? {
        guard position < pattern.count else { return nil }
        position += 1
        return pattern[position - 1]
    }

    private mutating func openBracket() throws(GraftError) {
        if isInClass {
            guard peek == ":" else { throw unsupported("brackets inside brackets") }
            // A class such as [:alpha:] passes through to its end.
            result += "["
            while let scalar = next() {
                result.unicodeScalars.append(scalar)
                if scalar == "]" { return }
            }
            return
        }
        isInClass = true
        result += "["
        if peek == "^" {
            position += 1
            result += "^"
        }
        // A bracket that closes at once is an ordinary character.
        if peek == "]" {
            position += 1
            result += "\\]"
        }
    }

    /// Options in a group: Oniguruma's `m` is what is called `s` elsewhere.
    private mutating func openGroup() {
        result += "("
        guard peek == "?" else { return }
        var end = position + 1
        while end < pattern.count, "imx-".unicodeScalars.contains(pattern[end]) { end += 1 }
        guard end < pattern.count, pattern[end] == ":" || pattern[end] == ")" else { return }
        for scalar in pattern[position..<end] { result.unicodeScalars.append(scalar == "m" ? "s" : scalar) }
        position = end
    }

    private mutating func escape() throws(GraftError) {
        guard let letter = next() else { throw unsupported("a backslash at the end") }
        switch letter {
        case "s": add(Self.whitespace, isNegated: false)
        case "S": add(Self.whitespace, isNegated: true)
        case "h": add([(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)], isNegated: false)
        case "H": add([(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)], isNegated: true)
        case "d": addProperty("Nd", isNegated: false)
        case "D": addProperty("Nd", isNegated: true)
        case "w": addWord()
        case "W" where !isInClass:
            isInClass = true
            result += "[^"
            addWord()
            result += "]"
            isInClass = false
        case "W": throw unsupported("\\W inside brackets")
        case "p", "P": try property(isNegated: letter == "P")
        case "u":
            let digits = pattern[position..<min(position + 4, pattern.count)]
            guard digits.count == 4, digits.allSatisfy({ $0.properties.isASCIIHexDigit }) else {
                throw unsupported("\\u without four hexadecimal digits")
            }
            position += 4
            result += "\\x{\(String(String.UnicodeScalarView(digits)))}"
        default:
            result += "\\"
            result.unicodeScalars.append(letter)
        }
    }

    /// `\p{L}`, with the characters that PCRE2 may not know yet.
    private mutating func property(isNegated: Bool) throws(GraftError) {
        guard next() == "{", let end = pattern[position...].firstIndex(of: "}") else {
            throw unsupported("\\p without a name in braces")
        }
        var name = String(String.UnicodeScalarView(pattern[position..<end]))
        position = end + 1
        var isNegated = isNegated
        if name.unicodeScalars.first == "^" {
            name.unicodeScalars.removeFirst()
            isNegated.toggle()
        }
        addProperty(name, isNegated: isNegated)
    }

    // MARK: Sets of characters

    private mutating func addProperty(_ name: String, isNegated: Bool) {
        let added = UnicodeAdditions.ranges(ofProperty: name)
        guard !added.isEmpty, !(isNegated && isInClass) else {
            result += "\\\(isNegated ? "P" : "p"){\(name)}"
            return
        }
        let set = "\\p{\(name)}" + Self.spelled(added)
        result += isInClass ? set : "[\(isNegated ? "^" : "")\(set)]"
    }

    private mutating func addWord() {
        if !isInClass { result += "[" }
        for name in ["L", "M", "Nd", "Nl", "Pc"] {
            result += "\\p{\(name)}" + Self.spelled(UnicodeAdditions.ranges(ofProperty: name))
        }
        // Letters in circles and squares, which are symbols by category.
        result += Self.spelled([(0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)])
        if !isInClass { result += "]" }
    }

    private mutating func add(_ ranges: [(UInt32, UInt32)], isNegated: Bool) {
        if isInClass {
            result += Self.spelled(isNegated ? Self.complement(ranges) : ranges)
        } else {
            result += "[\(isNegated ? "^" : "")\(Self.spelled(ranges))]"
        }
    }

    private static let whitespace: [(UInt32, UInt32)] = [
        (0x09, 0x0D), (0x20, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
        (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
    ]

    private static func complement(_ ranges: [(UInt32, UInt32)]) -> [(UInt32, UInt32)] {
        var result: [(UInt32, UInt32)] = []
        var start: UInt32 = 0
        for (first, last) in ranges {
            if first > start { result.append((start, first - 1)) }
            start = last + 1
        }
        return result + [(start, 0x10FFFF)]
    }

    private static func spelled(_ ranges: [(UInt32, UInt32)]) -> String {
        ranges.map { first, last in
            let (first, last) = (String(first, radix: 16), String(last, radix: 16))
            return first == last ? "\\x{\(first)}" : "\\x{\(first)}-\\x{\(last)}"
        }.joined()
    }

    private func unsupported(_ what: String) -> GraftError {
        let text = String(String.UnicodeScalarView(pattern))
        return GraftError(.unsupported, "the regular expression \"\(text)\" has \(what), which is not supported")
    }
}
