import GraftFormats
import GraftTensor

/// A piece of a template: text between tags, or a word of what stands within one.
struct Token {
    enum Kind: UInt8 {
        case data, variableBegin, variableEnd, blockBegin, blockEnd, name, string, integer, float, symbol, end
    }

    var kind: Kind
    var bytes: Bytes = []
    var line: Int

    func isName(_ name: String) -> Bool { kind == .name && bytes.elementsEqual(name.utf8) }
    func isSymbol(_ symbol: String) -> Bool { kind == .symbol && bytes.elementsEqual(symbol.utf8) }
}

/// Cuts a template into tokens as jinja2 does with `trim_blocks` and `lstrip_blocks`: a line break
/// after a block goes, and so does the white space before a block that begins its line; `-` in a
/// tag takes all white space on its side, `+` leaves it.
struct Lexer {
    private let source: Bytes
    private var position = 0
    private var line = 1
    private var tokens: [Token] = []
    private var startsLine = true
    /// Closing brackets that are due.
    private var due: [UInt8] = []

    static func tokens(of template: Bytes) throws(GraftError) -> [Token] {
        var lexer = Lexer(source: plainLines(template))
        try lexer.scan()
        return lexer.tokens
    }

    private init(source: Bytes) { self.source = source }

    /// With a single kind of line break, and without the last one.
    private static func plainLines(_ template: Bytes) -> Bytes {
        var lines = Bytes()
        lines.reserveCapacity(template.count)
        for (index, byte) in template.enumerated() {
            if byte != ascii("\r") {
                lines.append(byte)
            } else if index + 1 == template.count || template[index + 1] != ascii("\n") {
                lines.append(ascii("\n"))
            }
        }
        if lines.last == ascii("\n") { lines.removeLast() }
        return lines
    }

    private func error(_ message: String) -> TemplateError { TemplateError(.corruptFile, message, line: line) }

    private func byte(_ offset: Int = 0) -> UInt8? {
        position + offset < source.count ? source[position + offset] : nil
    }

    private func sees(_ text: StaticString) -> Bool { sees(text, at: position) }

    private func sees(_ text: StaticString, at place: Int) -> Bool {
        guard place >= 0, place + text.utf8CodeUnitCount <= source.count else { return false }
        for index in 0..<text.utf8CodeUnitCount where source[place + index] != text.utf8Start[index] { return false }
        return true
    }

    private mutating func add(_ kind: Token.Kind, _ bytes: Bytes = []) {
        tokens.append(Token(kind: kind, bytes: bytes, line: line))
    }

    /// Goes to a later place and counts the lines up to there.
    private mutating func go(to end: Int) {
        for byte in source[position..<end] where byte == ascii("\n") { line += 1 }
        position = end
    }

    /// After the end of a tag: white space goes with `-`, one line break where blocks are trimmed.
    private mutating func endTag(_ length: Int, strips: Bool, trims: Bool) {
        var end = position + length
        if strips {
            end += PythonText.leadingCount(source, from: end)
        } else if trims, end < source.count, source[end] == ascii("\n") {
            end += 1
        }
        startsLine = end > 0 && source[end - 1] == ascii("\n")
        go(to: end)
    }

    private mutating func scan() throws(GraftError) {
        while position < source.count {
            var tag = position
            while tag < source.count, !(sees("{%", at: tag) || sees("{{", at: tag) || sees("{#", at: tag)) { tag += 1 }
            guard tag < source.count else {
                addData(position..<source.count)
                go(to: source.count)
                break
            }
            let kind = source[tag + 1]
            var sign: UInt8?
            if tag + 2 < source.count, source[tag + 2] == ascii("-") || source[tag + 2] == ascii("+") {
                sign = source[tag + 2]
            }
            let end = strippedEnd(position..<tag, sign: sign, isBlock: kind != ascii("{"))
            addData(position..<end)
            go(to: tag)
            startsLine = false
            let start = tag + (sign == nil ? 2 : 3)
            switch kind {
            case ascii("#"): try skipComment(from: start)
            case ascii("{"):
                add(.variableBegin)
                go(to: start)
                try scanTag(isBlock: false)
            default:
                if try scanRaw(from: start) { continue }
                add(.blockBegin)
                go(to: start)
                try scanTag(isBlock: true)
            }
        }
        add(.end)
    }

    private mutating func addData(_ range: Range<Int>) {
        if !range.isEmpty { add(.data, source.part(range)) }
    }

    /// Where text before a tag ends.
    private func strippedEnd(_ range: Range<Int>, sign: UInt8?, isBlock: Bool) -> Int {
        let text = source.part(range)
        if sign == ascii("-") { return range.lowerBound + PythonText.trailingStart(text) }
        guard sign == nil, isBlock else { return range.upperBound }
        let lineStart = (text.lastIndex(of: ascii("\n")) ?? -1) + 1
        guard lineStart > 0 || startsLine, PythonText.leadingCount(text, from: lineStart) == text.count - lineStart
        else { return range.upperBound }
        return range.lowerBound + lineStart
    }

    private mutating func skipComment(from start: Int) throws(GraftError) {
        var end = start
        while !sees("#}", at: end) {
            guard end < source.count else { throw error("a comment does not end: expected #}").error }
            end += 1
        }
        let sign = end > start ? source[end - 1] : 0
        go(to: end)
        endTag(2, strips: sign == ascii("-"), trims: sign != ascii("+"))
    }

    /// Takes a `raw` block, of which nothing is a tag.
    private mutating func scanRaw(from start: Int) throws(GraftError) -> Bool {
        func spaces(_ place: Int) -> Int { place + PythonText.leadingCount(source, from: place) }
        var place = spaces(start)
        guard sees("raw", at: place) else { return false }
        place = spaces(place + 3)
        let strips = sees("-%}", at: place)
        guard strips || sees("%}", at: place) else { return false }
        go(to: place)
        endTag(strips ? 3 : 2, strips: strips, trims: false)
        var tag = position
        while true {
            guard tag < source.count else { throw error("a raw block does not end: expected endraw").error }
            defer { tag += 1 }
            guard sees("{%", at: tag) else { continue }
            var sign: UInt8?
            if tag + 2 < source.count, source[tag + 2] == ascii("-") || source[tag + 2] == ascii("+") {
                sign = source[tag + 2]
            }
            var end = spaces(tag + (sign == nil ? 2 : 3))
            guard sees("endraw", at: end) else { continue }
            end = spaces(end + 6)
            let endSign: UInt8? = end < source.count ? source[end] : nil
            let isSigned = endSign == ascii("-") || endSign == ascii("+")
            guard sees("%}", at: isSigned ? end + 1 : end) else { continue }
            addData(position..<strippedEnd(position..<tag, sign: sign, isBlock: true))
            go(to: end)
            endTag(isSigned ? 3 : 2, strips: endSign == ascii("-"), trims: !isSigned)
            return true
        }
    }

    // MARK: Within a tag

    private mutating func scanTag(isBlock: Bool) throws(GraftError) {
        due = []
        while let next = byte() {
            if due.isEmpty, try endsTag(isBlock: isBlock) { return }
            let spaces = PythonText.leadingCount(source, from: position)
            if spaces > 0 {
                go(to: position + spaces)
            } else if 0x30...0x39 ~= next {
                try scanNumber()
            } else if next == ascii("\"") || next == ascii("'") {
                try scanString(quote: next)
            } else if Self.isNamePart(next) {
                var end = position
                while end < source.count, Self.isNamePart(source[end]) {
                    let (value, length) = source.scalar(at: end)
                    if PythonScalars.isSpace(value) { break }
                    end += length
                }
                add(.name, source.part(position..<end))
                position = end
            } else {
                try scanSymbol()
            }
        }
        throw error("a tag does not end: expected \(isBlock ? "%}" : "}}")").error
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, ascii("_"), 0x80...: true
        default: false
        }
    }

    private mutating func endsTag(isBlock: Bool) throws(GraftError) -> Bool {
        let sign = byte()
        let isSigned = sign == ascii("-") || isBlock && sign == ascii("+")
        guard sees(isBlock ? "%}" : "}}", at: isSigned ? position + 1 : position) else { return false }
        add(isBlock ? .blockEnd : .variableEnd)
        endTag(isSigned ? 3 : 2, strips: sign == ascii("-"), trims: isBlock && !isSigned)
        return true
    }

    private static let symbols: [StaticString] = [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=",
        ".", ":", "|", ",", ";",
    ]

    private mutating func scanSymbol() throws(GraftError) {
        guard let symbol = Self.symbols.first(where: { sees($0) }) else {
            throw error("unexpected character \"\(text(source.part(position..<position + 1)))\"").error
        }
        let first = source[position]
        switch first {
        case ascii("("): due.append(ascii(")"))
        case ascii("["): due.append(ascii("]"))
        case ascii("{"): due.append(ascii("}"))
        case ascii(")"), ascii("]"), ascii("}"):
            guard due.popLast() == first else { throw error("unexpected \"\(symbol)\"").error }
        default: break
        }
        let end = position + symbol.utf8CodeUnitCount
        add(.symbol, source.part(position..<end))
        position = end
    }

    /// Digits, single underscores among them; where they end.
    private func digits(from start: Int, _ isDigit: (UInt8) -> Bool = { 0x30...0x39 ~= $0 }) -> Int {
        var end = start
        while end < source.count {
            if isDigit(source[end]) {
                end += 1
            } else if source[end] == ascii("_"), end + 1 < source.count, isDigit(source[end + 1]) {
                end += 2
            } else {
                break
            }
        }
        return end
    }

    private mutating func scanNumber() throws(GraftError) {
        let start = position
        var end = digits(from: start)
        var isFloat = false
        if start == 0 || source[start - 1] != ascii(".") {
            if end + 1 < source.count, source[end] == ascii("."), 0x30...0x39 ~= source[end + 1] {
                (isFloat, end) = (true, digits(from: end + 1))
            }
            if end < source.count, source[end] | 0x20 == ascii("e") {
                let isSigned =
                    end + 1 < source.count && (source[end + 1] == ascii("-") || source[end + 1] == ascii("+"))
                let exponent = end + (isSigned ? 2 : 1)
                if exponent < source.count, 0x30...0x39 ~= source[exponent] {
                    (isFloat, end) = (true, digits(from: exponent))
                }
            }
        }
        var radix = 10
        if !isFloat, source[start] == ascii("0") {
            let letter = start + 1 < source.count ? source[start + 1] | 0x20 : 0
            let (base, isDigit): (Int, (UInt8) -> Bool) =
                switch letter {
                case ascii("x"): (16, { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 | 0x20 })
                case ascii("o"): (8, { 0x30...0x37 ~= $0 })
                case ascii("b"): (2, { 0x30...0x31 ~= $0 })
                default: (10, { $0 == 0x30 })
                }
            let from = base == 10 ? start : start + 2
            let last = digits(from: from, isDigit)
            if base == 10 || last > from { (radix, end) = (base, last) } else { end = start + 1 }
        }
        let spelling = source.part(start..<end).filter { $0 != ascii("_") }
        position = end
        if isFloat {
            add(.float, spelling)
        } else {
            guard let value = Int(text(radix == 10 ? spelling : Bytes(spelling.dropFirst(2))), radix: radix) else {
                throw TemplateError(.unsupported, "an integer beyond 64 bits", line: line).error
            }
            add(.integer, utf8(String(value)))
        }
    }

    private mutating func scanString(quote: UInt8) throws(GraftError) {
        let start = position
        var end = position + 1
        while end < source.count, source[end] != quote { end += source[end] == ascii("\\") ? 2 : 1 }
        guard end < source.count else { throw error("a string does not end: expected \(text([quote]))").error }
        var content = Bytes()
        var place = start + 1
        while place < end {
            if source[place] == ascii("\\") {
                try readEscape(&place, end, into: &content)
            } else {
                content.append(source[place])
                place += 1
            }
        }
        add(.string, content)
        go(to: end + 1)
    }

    /// An escape as Python's "unicode-escape" reads it; one that is none stays.
    private func readEscape(_ place: inout Int, _ end: Int, into content: inout Bytes) throws(GraftError) {
        let letter = source[place + 1]
        place += 2
        let digitCount: Int
        switch letter {
        case ascii("n"): return content.append(0x0A)
        case ascii("t"): return content.append(0x09)
        case ascii("r"): return content.append(0x0D)
        case ascii("a"): return content.append(0x07)
        case ascii("b"): return content.append(0x08)
        case ascii("f"): return content.append(0x0C)
        case ascii("v"): return content.append(0x0B)
        case ascii("\\"), ascii("'"), ascii("\""): return content.append(letter)
        case ascii("\n"): return
        case ascii("0")...ascii("7"):
            var value = UInt32(letter - ascii("0"))
            for _ in 0..<2 where place < end && ascii("0")...ascii("7") ~= source[place] {
                value = value * 8 + UInt32(source[place] - ascii("0"))
                place += 1
            }
            return content.append(scalar: value)
        case ascii("x"): digitCount = 2
        case ascii("u"): digitCount = 4
        case ascii("U"): digitCount = 8
        case ascii("N"): throw TemplateError(.unsupported, "a character by its name (\\N)", line: line).error
        default: return content += [ascii("\\"), letter]
        }
        guard place + digitCount <= end,
            let value = UInt32(text(source.part(place..<place + digitCount)), radix: 16)
        else { throw error("expected \(digitCount) hexadecimal digits after \\\(text([letter]))").error }
        guard Unicode.Scalar(value) != nil else {
            throw TemplateError(.unsupported, "a character that is none in UTF-8", line: line).error
        }
        content.append(scalar: value)
        place += digitCount
    }
}
