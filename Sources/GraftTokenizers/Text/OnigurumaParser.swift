import GraftFormats
import GraftTensor

/// Reads a regular expression as Oniguruma does, and spells it for PCRE2 as an expression over
/// kinds of characters.
///
/// Every set of characters is worked out here, by Unicode tables of Oniguruma's version, so PCRE2
/// sees bytes alone. What it could not do exactly is refused by name: back references and calls,
/// absent and conditional groups, text segments, `\K` and `\G`, look-behind of varying length, and
/// letters regardless of case where one stands for several.
struct OnigurumaParser {
    let pattern: [Unicode.Scalar]
    var position = 0
    private var parts: [Part] = []
    private var sets: [ScalarSet] = []
    private var indexOfSet: [ScalarSet: Int] = [:]
    var options = Options()
    /// Literal characters in a row, where case is ignored.
    private var run: [UInt32] = []

    /// A piece of the expression for PCRE2.
    private enum Part {
        case text(String)
        /// One character of a set.
        case set(Int)
    }

    struct Options {
        var ignoresCase = false
        var dotMatchesNewline = false
        var isExtended = false
    }

    /// Groups or brackets within each other: each takes stack, of which a thread may have little.
    static let deepest = 60

    static func parse(_ pattern: String) throws(GraftError) -> (RegularExpression, CharacterKinds) {
        var parser = OnigurumaParser(pattern: Array(pattern.unicodeScalars))
        try parser.alternatives(depth: 0)
        if parser.position < parser.pattern.count { throw parser.invalid("a parenthesis that closes no group") }
        guard let kinds = CharacterKinds(parser.sets) else {
            throw parser.unsupported("more than 256 kinds of characters to tell apart")
        }
        let spelled = parser.parts.map { part in
            switch part {
            case .text(let text): text
            case .set(let index): Self.spelled(kinds.members[index])
            }
        }
        do throws(GraftError) {
            return (try RegularExpression(spelled.joined(), .bytes, orThrow: .unsupported), kinds)
        } catch {
            throw GraftError(error.code, "the regular expression \"\(pattern)\" is not understood: \(error.message)")
        }
    }

    private init(pattern: [Unicode.Scalar]) {
        self.pattern = pattern
    }

    private static func spelled(_ kinds: [UInt8]) -> String {
        func byte(_ kind: UInt8) -> String { "\\x{\(String(kind, radix: 16))}" }
        if kinds.isEmpty { return "(?!)" }
        return kinds.count == 1 ? byte(kinds[0]) : "[\(kinds.map(byte).joined())]"
    }

    // MARK: The text of the pattern

    var peek: Unicode.Scalar? { position < pattern.count ? pattern[position] : nil }

    func peek(_ offset: Int) -> Unicode.Scalar? {
        position + offset < pattern.count ? pattern[position + offset] : nil
    }

    mutating func next() -> Unicode.Scalar? {
        guard position < pattern.count else { return nil }
        position += 1
        return pattern[position - 1]
    }

    mutating func skip(_ text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        guard pattern[position...].starts(with: scalars) else { return false }
        position += scalars.count
        return true
    }

    func unsupported(_ what: String) -> GraftError { refused(what, .unsupported, "is not supported") }

    func invalid(_ what: String) -> GraftError { refused(what, .corruptFile, "is not valid") }

    private func refused(_ what: String, _ code: GraftError.Code, _ verdict: String) -> GraftError {
        let text = String(String.UnicodeScalarView(pattern.prefix(200)))
        return GraftError(code, "the regular expression \"\(text)\" has \(what), which \(verdict)")
    }

    // MARK: What PCRE2 gets

    private mutating func append(_ text: String) { parts.append(.text(text)) }

    private mutating func append(_ set: ScalarSet) throws(GraftError) {
        if let index = indexOfSet[set] {
            parts.append(.set(index))
            return
        }
        guard sets.count < 512 else { throw unsupported("more than 512 sets of characters") }
        indexOfSet[set] = sets.count
        parts.append(.set(sets.count))
        sets.append(set)
    }

    private mutating func append(literal value: UInt32) throws(GraftError) {
        guard options.ignoresCase else { return try append(ScalarSet(value)) }
        let set = UnicodeProperties.ignoringCase(ScalarSet(value))
        if UnicodeProperties.folded.contains(value) { throw severalLetters(String(Unicode.Scalar(value) ?? "?")) }
        run.append(value)
        if let fold = UnicodeProperties.fold(in: run.suffix(3)) {
            throw severalLetters(String(String.UnicodeScalarView(fold.compactMap { Unicode.Scalar($0) })))
        }
        try append(set)
    }

    private func severalLetters(_ text: String) -> GraftError {
        unsupported("\"\(text)\" regardless of case, where one letter stands for several")
    }

    // MARK: Groups

    /// Alternatives up to the end of the group or of the pattern.
    private mutating func alternatives(depth: Int) throws(GraftError) {
        guard depth <= Self.deepest else { throw unsupported("more than \(Self.deepest) groups within each other") }
        let outside = options
        while let scalar = peek, scalar != ")" {
            position += 1
            if options.isExtended, skipsExtended(scalar) { continue }
            if scalar == "|" {
                append("|")
                run = []
                continue
            }
            let start = parts.count
            try atom(scalar, depth: depth)
            try quantifiers(from: start)
        }
        options = outside
    }

    /// White space and comments of the extended form.
    private mutating func skipsExtended(_ scalar: Unicode.Scalar) -> Bool {
        if UnicodeProperties.whitespace.contains(scalar.value) { return true }
        guard scalar == "#" else { return false }
        while let scalar = next(), scalar != "\n" {}
        return true
    }

    private mutating func atom(_ scalar: Unicode.Scalar, depth: Int) throws(GraftError) {
        switch scalar {
        case "\\": return try escape()
        case "(": return try group(depth: depth)
        case "[":
            run = []
            return try append(try bracket(depth: depth + 1, isOutermost: true))
        case ".":
            run = []
            return try append(options.dotMatchesNewline ? .all : ScalarSet(0x0A).inverted)
        case "^": return try assertion("(?:\\A|(?<=", ScalarSet(0x0A), ")(?!\\z))")
        case "$": return try assertion("(?=", ScalarSet(0x0A), "|\\z)")
        case "*", "+", "?": throw invalid("a repetition of nothing")
        default: return try append(literal: scalar.value)
        }
    }

    private mutating func assertion(_ start: String, _ set: ScalarSet, _ end: String) throws(GraftError) {
        run = []
        append(start)
        try append(set)
        append(end)
    }

    private mutating func group(depth: Int) throws(GraftError) {
        if peek == "*" { throw unsupported("a callout such as (*FAIL)") }
        guard skip("?") else { return try group("(?:", depth) }
        for opening in [":", "=", "!", ">", "<=", "<!"] where skip(opening) {
            let isAssertion = opening != ":" && opening != ">"
            if isAssertion { run = [] }
            try group("(?\(opening)", depth)
            if isAssertion { try refuseRepetition("a look-around") }
            return
        }
        if skip("#") {
            while let scalar = next(), scalar != ")" {}
            if pattern[position - 1] != ")" { throw invalid("a comment without an end") }
            return
        }
        if let open = peek, open == "<" || open == "'" {
            position += 1
            let close: Unicode.Scalar = open == "<" ? ">" : "'"
            while let scalar = next(), scalar != close {}
            return try group("(?:", depth)
        }
        try optionGroup(depth)
    }

    /// The rest of a group behind its opening.
    private mutating func group(_ opening: String, _ depth: Int) throws(GraftError) {
        append(opening)
        try alternatives(depth: depth + 1)
        guard next() == ")" else { throw invalid("a group without an end") }
        append(")")
    }

    /// `(?im-x:…)`, or `(?im-x)` for the rest of the group around it, its alternatives included.
    private mutating func optionGroup(_ depth: Int) throws(GraftError) {
        var changed = options
        var isOn = true
        while let letter = next(), letter != ":", letter != ")" {
            switch letter {
            case "-": isOn = false
            case "i": changed.ignoresCase = isOn
            case "m": changed.dotMatchesNewline = isOn
            case "x": changed.isExtended = isOn
            case "~": throw unsupported("an absent group (?~…)")
            case "(": throw unsupported("a conditional group (?(…)…)")
            case "{": throw unsupported("a callout (?{…})")
            default: throw unsupported("a group that begins with (?\(letter)")
            }
        }
        let outside = options
        options = changed
        if pattern[position - 1] == ":" {
            try group("(?:", depth)
        } else {
            append("(?:")
            try alternatives(depth: depth + 1)
            append(")")
        }
        options = outside
    }

    // MARK: Repetition

    private mutating func quantifiers(from start: Int) throws(GraftError) {
        while true {
            while options.isExtended, let scalar = peek, parts.count > start {
                position += 1
                if !skipsExtended(scalar) {
                    position -= 1
                    break
                }
            }
            guard var quantifier = try quantifier() else { return }
            guard parts.count > start else { throw invalid("a repetition of nothing") }
            // `{n}?` is an optional `{n}`, and `{n,m}+` repeats.
            if quantifier.isInterval {
                if !quantifier.isFixed, skip("?") { quantifier.text += "?" }
            } else if skip("?") {
                quantifier.text += "?"
            } else if skip("+") {
                quantifier.text += "+"
            }
            parts.insert(.text("(?:"), at: start)
            append(")\(quantifier.text)")
            run = []
        }
    }

    private mutating func quantifier() throws(GraftError) -> (text: String, isInterval: Bool, isFixed: Bool)? {
        switch peek {
        case "*", "+", "?":
            let text = String(pattern[position])
            position += 1
            return (text, false, false)
        case "{":
            let start = position
            position += 1
            let least = number()
            let hasComma = skip(",")
            let most = hasComma ? number() : least
            guard skip("}"), least != nil || most != nil else {
                // An ordinary character.
                position = start
                return nil
            }
            if let most, (least ?? 0) > most { throw unsupported("a repetition {\(least ?? 0),\(most)}") }
            let text = hasComma ? "{\(least ?? 0),\(most.map(String.init) ?? "")}" : "{\(least ?? 0)}"
            return (text, true, !hasComma)
        default: return nil
        }
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let digit = peek, ("0"..."9").contains(digit), (value ?? 0) < 1_000_000 {
            value = (value ?? 0) * 10 + Int(digit.value - 0x30)
            position += 1
        }
        return value
    }

    private mutating func refuseRepetition(_ what: String) throws(GraftError) {
        let start = position
        if try quantifier() != nil { throw invalid("a repetition of \(what)") }
        position = start
    }

    // MARK: Escapes

    private mutating func escape() throws(GraftError) {
        guard let letter = next() else { throw invalid("a backslash at the end") }
        let word = UnicodeProperties.word
        if let set = try escapedSet(letter, word: word) {
            run = []
            return try append(set)
        }
        switch letter {
        case "A": append("\\A")
        case "z": append("\\z")
        case "Z": return try assertion("(?=", ScalarSet(0x0A), "?\\z)")
        case "b", "B":
            let isBoundary = letter == "b"
            run = []
            append("(?:(?<=")
            try append(word)
            append(isBoundary ? ")(?!" : ")(?=")
            try append(word)
            append(")|(?<!")
            try append(word)
            append(isBoundary ? ")(?=" : ")(?!")
            try append(word)
            return append("))")
        case "R":
            run = []
            append("(?>")
            try append(ScalarSet(0x0D))
            try append(ScalarSet(0x0A))
            append("|")
            try append(ScalarSet(0x0A...0x0D).union(ScalarSet(0x85, 0x2028, 0x2029)))
            return append(")")
        case "N": return try append(ScalarSet(0x0A).inverted)
        case "O": return try append(.all)
        case "X", "y", "Y": throw unsupported("a text segment \\\(letter)")
        case "K", "G": throw unsupported("\\\(letter)")
        case "k", "1"..."9": throw unsupported("a back reference or octal number \\\(letter)")
        case "g": throw unsupported("a call \\g")
        default: return try append(literal: try escapedCharacter(letter))
        }
        run = []
    }

    /// The set that an escape stands for inside and outside brackets; nil for another escape.
    mutating func escapedSet(_ letter: Unicode.Scalar, word: ScalarSet) throws(GraftError) -> ScalarSet? {
        switch letter {
        case "s": UnicodeProperties.whitespace
        case "S": UnicodeProperties.whitespace.inverted
        case "d": UnicodeProperties.digit
        case "D": UnicodeProperties.digit.inverted
        case "h": UnicodeProperties.hexadecimalDigit
        case "H": UnicodeProperties.hexadecimalDigit.inverted
        case "w": word
        case "W": word.inverted
        case "p", "P": try property(isNegated: letter == "P")
        default: nil
        }
    }

    private mutating func property(isNegated: Bool) throws(GraftError) -> ScalarSet {
        guard skip("{") else { throw unsupported("\\p without a name in braces") }
        let isNegated = isNegated != skip("^")
        guard let end = pattern[position...].firstIndex(of: "}") else { throw invalid("\\p without an end") }
        let name = String(String.UnicodeScalarView(pattern[position..<end]))
        position = end + 1
        guard let set = UnicodeProperties.property(name) else { throw unsupported("the property \"\(name)\"") }
        return isNegated ? set.inverted : set
    }

    /// The character that an escape stands for.
    mutating func escapedCharacter(_ letter: Unicode.Scalar) throws(GraftError) -> UInt32 {
        switch letter {
        case "a": return 0x07
        case "e": return 0x1B
        case "f": return 0x0C
        case "n": return 0x0A
        case "r": return 0x0D
        case "t": return 0x09
        case "v": return 0x0B
        case "0": return digits(atMost: 2, radix: 8) ?? 0
        case "u":
            let start = position
            guard let value = digits(atMost: 4, radix: 16), position == start + 4 else {
                throw invalid("\\u without four hexadecimal digits")
            }
            return try scalar(value)
        case "x":
            if skip("{") {
                guard let value = digits(atMost: 8, radix: 16), skip("}") else {
                    throw unsupported("\\x{…} with other than one hexadecimal number")
                }
                return try scalar(value)
            }
            guard let value = digits(atMost: 2, radix: 16), value < 0x80 else {
                throw unsupported("\\x with a byte that is no ASCII character")
            }
            return value
        case "o", "c", "C", "M": throw unsupported("\\\(letter)")
        default: return letter.value
        }
    }

    private mutating func digits(atMost count: Int, radix: UInt32) -> UInt32? {
        var value: UInt32?
        var left = count
        while left > 0, let digit = peek.flatMap({ Character($0).hexDigitValue }), digit < radix, peek?.isASCII == true
        {
            value = (value ?? 0) * radix + UInt32(digit)
            position += 1
            left -= 1
        }
        return value
    }

    func scalar(_ value: UInt32) throws(GraftError) -> UInt32 {
        guard Unicode.Scalar(value) != nil else { throw unsupported("U+\(String(value, radix: 16)), no character") }
        return value
    }
}
