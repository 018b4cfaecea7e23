import GraftTensor
import GraftTokenizers

/// Reads a regular expression: characters, `.`, classes, escapes, groups, alternatives and
/// repetitions, with the meaning that they have in Python's `re` with `re.ASCII`.
///
/// What would need more than an automaton, or would mean another thing elsewhere, is refused by its
/// name and place.
struct ExpressionParser {
    private let text: [Unicode.Scalar]
    private var position = 0
    private let isSearched: Bool
    private let spell: (ScalarSet) -> TextPattern

    /// Groups within each other: each takes stack, of which a thread may have little.
    private static let deepest = 16
    private static let mostRepetitions = 1 << 16

    static let digits = ScalarSet(0x30...0x39)
    private static let word = digits.union(ScalarSet(0x41...0x5A)).union(ScalarSet(0x5F)).union(ScalarSet(0x61...0x7A))
    private static let space = ScalarSet(0x09...0x0D).union(ScalarSet(0x20))

    /// - Parameters:
    ///   - isSearched: Whether it is enough that a part of the text matches.
    ///   - spell: How a character of a set is written.
    static func parse(
        _ expression: String, isSearched: Bool = false, spell: @escaping (ScalarSet) -> TextPattern
    ) throws(GraftError) -> TextPattern {
        try Memory.require(64 * expression.utf8.count, to: "reading a regular expression")
        var parser = ExpressionParser(
            text: Array(expression.unicodeScalars), isSearched: isSearched, spell: spell)
        let pattern = try parser.alternatives(depth: 0)
        if parser.position < parser.text.count { throw parser.invalid("a \")\" that closes no group") }
        return pattern
    }

    private init(text: [Unicode.Scalar], isSearched: Bool, spell: @escaping (ScalarSet) -> TextPattern) {
        self.text = text
        self.isSearched = isSearched
        self.spell = spell
    }

    // MARK: The text

    private var peek: Unicode.Scalar? { position < text.count ? text[position] : nil }

    private mutating func skip(_ expected: String) -> Bool {
        guard text[position...].starts(with: expected.unicodeScalars) else { return false }
        position += expected.unicodeScalars.count
        return true
    }

    private func unsupported(_ what: String, at place: Int? = nil) -> GraftError {
        refused(what, "is not supported", .unsupported, place)
    }

    private func invalid(_ what: String, at place: Int? = nil) -> GraftError {
        refused(what, "is not valid", .invalidArgument, place)
    }

    private func refused(_ what: String, _ verdict: String, _ code: GraftError.Code, _ place: Int?) -> GraftError {
        let shown = String(String.UnicodeScalarView(text.prefix(200)))
        return GraftError(
            code, "the regular expression \"\(shown)\" has \(what) at character \(place ?? position), which \(verdict)")
    }

    // MARK: Groups

    /// Alternatives up to the end of the group or of the text.
    private mutating func alternatives(depth: Int) throws(GraftError) -> TextPattern {
        guard depth <= Self.deepest else { throw unsupported("more than \(Self.deepest) groups within each other") }
        var all: [TextPattern] = []
        repeat {
            all.append(try alternative(depth))
        } while skip("|")
        return all.count == 1 ? all[0] : .choice(all)
    }

    private mutating func alternative(_ depth: Int) throws(GraftError) -> TextPattern {
        var parts: [TextPattern] = []
        let isAnchored = depth == 0 && skip("^")
        if isSearched && depth == 0 && !isAnchored { parts.append(.any(spell(.all))) }
        while let scalar = peek, scalar != "|", scalar != ")" {
            try Memory.check()
            if depth == 0, scalar == "$", position + 1 == text.count || text[position + 1] == "|" {
                position += 1
                return .sequence(parts)
            }
            let start = position
            let one = try atom(depth)
            parts.append(try repeated(one, from: start))
        }
        if isSearched && depth == 0 { parts.append(.any(spell(.all))) }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func atom(_ depth: Int) throws(GraftError) -> TextPattern {
        let start = position
        let scalar = text[position]
        position += 1
        switch scalar {
        case "(":
            if !skip("?:"), peek == "?" { throw unsupported(groupName(), at: start) }
            let inner = try alternatives(depth: depth + 1)
            if !skip(")") { throw invalid("a group that is not closed", at: start) }
            return inner
        case "[": return spell(try characterClass(from: start))
        case ".": return spell(ScalarSet(0x0A).inverted)
        case "\\": return spell(try escape(from: start))
        case "^", "$": throw unsupported("\"\(scalar)\" within it", at: start)
        case "*", "+", "?": throw invalid("a \"\(scalar)\" that repeats nothing", at: start)
        case "{": throw unsupported("a \"{\" that repeats nothing: expected \"\\{\" for the character", at: start)
        default: return spell(ScalarSet(scalar.value))
        }
    }

    private func groupName() -> String {
        let kinds = [
            ("?=", "a look-ahead"), ("?!", "a look-ahead"), ("?<=", "a look-behind"), ("?<!", "a look-behind"),
            ("?P=", "a back-reference"), ("?P<", "a named group"), ("?<", "a named group"), ("?>", "an atomic group"),
            ("?#", "a comment"), ("?(", "a conditional group"),
        ]
        return kinds.first { text[position...].starts(with: $0.0.unicodeScalars) }?.1 ?? "flags, or an unknown group,"
    }

    // MARK: Repetitions

    private mutating func repeated(_ body: TextPattern, from start: Int) throws(GraftError) -> TextPattern {
        guard let scalar = peek else { return body }
        var (least, most): (Int, Int?) = (0, nil)
        switch scalar {
        case "*": position += 1
        case "+":
            position += 1
            least = 1
        case "?":
            position += 1
            most = 1
        case "{": (least, most) = try counts()
        default: return body
        }
        // Which of the texts is found first makes no difference to what they are.
        _ = skip("?")
        if peek == "+" { throw unsupported("a possessive repetition") }
        if let next = peek, "*?{".unicodeScalars.contains(next) { throw invalid("a repetition of a repetition") }
        return .repeated(body, least: least, most: most)
    }

    private mutating func counts() throws(GraftError) -> (Int, Int?) {
        let start = position
        position += 1
        let least = try number()
        var most = least
        if skip(",") { most = try number() } else if least == nil { most = -1 }
        guard skip("}"), least != nil || most != nil, most ?? Int.max >= least ?? 0 else {
            throw invalid("a repetition that is not {m}, {m,}, {,n} or {m,n} with m at most n", at: start)
        }
        return (least ?? 0, most)
    }

    private mutating func number() throws(GraftError) -> Int? {
        var value: Int?
        while let scalar = peek, Self.digits.contains(scalar.value) {
            value = (value ?? 0) * 10 + Int(scalar.value - 0x30)
            if value ?? 0 > Self.mostRepetitions { throw unsupported("more than \(Self.mostRepetitions) repetitions") }
            position += 1
        }
        return value
    }

    // MARK: Characters

    private mutating func characterClass(from start: Int) throws(GraftError) -> ScalarSet {
        var edges: [ScalarSet] = []
        let isInverted = skip("^")
        if peek == "]" { throw unsupported("a class that begins with \"]\": expected \"\\]\" for the character") }
        if peek == ":" { throw unsupported("a class such as [:alpha:]", at: start) }
        while !skip("]") {
            try Memory.check()
            let place = position
            let low = try classCharacter(start)
            guard peek == "-", position + 1 < text.count, text[position + 1] != "]" else {
                edges.append(low)
                continue
            }
            position += 1
            let high = try classCharacter(start)
            guard let first = single(low), let last = single(high), first <= last else {
                throw invalid("a range that is not from one character to a later one", at: place)
            }
            edges.append(ScalarSet(first...last))
        }
        let set = Self.union(edges)
        return isInverted ? set.inverted : set
    }

    private mutating func classCharacter(_ start: Int) throws(GraftError) -> ScalarSet {
        guard let scalar = peek else { throw invalid("a class that is not closed", at: start) }
        position += 1
        if scalar == "[", peek == ":" { throw unsupported("a class such as [:alpha:]", at: position - 1) }
        return scalar == "\\" ? try escape(from: position - 1, isInClass: true) : ScalarSet(scalar.value)
    }

    private func single(_ set: ScalarSet) -> UInt32? {
        set.edges.count == 2 && set.edges[1] == set.edges[0] + 1 ? set.edges[0] : nil
    }

    /// Of many sets, without as many passes over what is long.
    private static func union(_ sets: [ScalarSet]) -> ScalarSet {
        var sets = sets
        while sets.count > 1 {
            sets = stride(from: 0, to: sets.count, by: 2).map {
                $0 + 1 < sets.count ? sets[$0].union(sets[$0 + 1]) : sets[$0]
            }
        }
        return sets.first ?? .none
    }

    private mutating func escape(from start: Int, isInClass: Bool = false) throws(GraftError) -> ScalarSet {
        guard let scalar = peek else { throw invalid("a \"\\\" at its end", at: start) }
        position += 1
        switch scalar {
        case "d": return Self.digits
        case "D": return Self.digits.inverted
        case "w": return Self.word
        case "W": return Self.word.inverted
        case "s": return Self.space
        case "S": return Self.space.inverted
        case "t": return ScalarSet(0x09)
        case "n": return ScalarSet(0x0A)
        case "v": return ScalarSet(0x0B)
        case "f": return ScalarSet(0x0C)
        case "r": return ScalarSet(0x0D)
        case "x": return ScalarSet(try hexadecimal(2, from: start))
        case "u":
            let value = try hexadecimal(4, from: start)
            guard value >> 10 == 0x36 else { return ScalarSet(value) }
            guard skip("\\u"), case let low = try hexadecimal(4, from: start), low >> 10 == 0x37 else {
                throw invalid("half of a surrogate pair", at: start)
            }
            return ScalarSet(0x10000 + (value & 0x3FF) << 10 + low & 0x3FF)
        case "b" where isInClass: return ScalarSet(0x08)
        case "1"..."9": throw unsupported("a back-reference", at: start)
        case "b", "B", "A", "Z", "z", "G": throw unsupported("the boundary \"\\\(scalar)\"", at: start)
        case "p", "P": throw unsupported("the property \"\\\(scalar)\"", at: start)
        default:
            let isLetter = Self.word.contains(scalar.value) && scalar != "_"
            if isLetter || scalar.value > 0x7F { throw unsupported("the escape \"\\\(scalar)\"", at: start) }
            return ScalarSet(scalar.value)
        }
    }

    private mutating func hexadecimal(_ count: Int, from start: Int) throws(GraftError) -> UInt32 {
        let digits = text[position...].prefix(count)
        guard digits.count == count, digits.allSatisfy({ $0.properties.isASCIIHexDigit }),
            let value = UInt32(String(String.UnicodeScalarView(digits)), radix: 16)
        else { throw invalid("an escape without its \(count) hexadecimal digits", at: start) }
        position += count
        return value
    }
}
