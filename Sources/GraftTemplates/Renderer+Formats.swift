import Glibc
import GraftFormats
import GraftTensor

/// Texts with places for values: `"%s" % value` and `"{}".format(value)`.
extension Renderer {
    /// Python's `format % values`: `%s %r %d %i %u %f %x %X %o %c %%`, with flags, width and
    /// precision.
    func formatted(_ format: Bytes, with value: Value) throws(GraftError) -> Value {
        var values = [value]
        var isTuple = false
        if case .elements(let elements) = value, elements.kind == .tuple { (values, isTuple) = (elements.values, true) }
        // Of what has an index, some may be left over.
        var isIndexed = false
        if case .elements(let elements) = value { isIndexed = !isTuple && elements.isSequence }
        var mapping: Dictionary?
        if case .dictionary(let dictionary) = value { mapping = dictionary }
        var (out, position, used) = (Bytes(), 0, 0)
        while position < format.count {
            guard format[position] == ascii("%") else {
                out.append(format[position])
                position += 1
                continue
            }
            position += 1
            var key: Bytes?
            if position < format.count, format[position] == ascii("(") {
                guard let end = format[position...].firstIndex(of: ascii(")")) else { throw badFormat }
                key = format.part(position + 1..<end)
                position = end + 1
            }
            var directive = Directive()
            position += directive.read(format, from: position)
            guard position < format.count else { throw badFormat }
            let letter = format[position]
            position += 1
            if letter == ascii("%") {
                out.append(letter)
                continue
            }
            let argument: Value
            if let key {
                guard let found = mapping?[key] else { throw unexpected("%: there is no value \"\(brief(key))\"") }
                argument = found
            } else {
                guard used < values.count else { throw unexpected("%: expected more values") }
                argument = values[used]
                used += 1
            }
            let written = try self.written(argument, as: letter, directive)
            let missing = max(0, directive.width - written.scalarCount)
            try announce(out.count + written.count + missing)
            out += directive.padded(written, missing, isNumber: letter != ascii("s") && letter != ascii("r"))
        }
        if used < values.count, mapping == nil, !isIndexed { throw unexpected("%: expected fewer values") }
        return try made(out)
    }

    private var badFormat: GraftError { unexpected("%: the format ends within a place for a value") }

    private struct Directive {
        var (isLeft, isSigned, hasSpace, hasZeros) = (false, false, false, false)
        var width = 0
        var precision: Int?

        /// Returns how many bytes it read.
        mutating func read(_ format: Bytes, from start: Int) -> Int {
            var position = start
            flags: while position < format.count {
                switch format[position] {
                case ascii("-"): isLeft = true
                case ascii("+"): isSigned = true
                case ascii(" "): hasSpace = true
                case ascii("0"): hasZeros = true
                case ascii("#"): break
                default: break flags
                }
                position += 1
            }
            width = number(format, &position)
            if position < format.count, format[position] == ascii(".") {
                position += 1
                precision = number(format, &position)
            }
            return position - start
        }

        private func number(_ format: Bytes, _ position: inout Int) -> Int {
            var value = 0
            while position < format.count, 0x30...0x39 ~= format[position] {
                value = min(value * 10 + Int(format[position] - 0x30), 1 << 40)
                position += 1
            }
            return value
        }

        func padded(_ text: Bytes, _ missing: Int, isNumber: Bool) -> Bytes {
            if isLeft { return text + Bytes(repeating: ascii(" "), count: missing) }
            guard isNumber, hasZeros else { return Bytes(repeating: ascii(" "), count: missing) + text }
            let signs = text.first == ascii("-") || text.first == ascii("+") || text.first == ascii(" ") ? 1 : 0
            return text.prefix(signs) + Bytes(repeating: ascii("0"), count: missing) + text.dropFirst(signs)
        }
    }

    private func written(_ value: Value, as letter: UInt8, _ directive: Directive) throws(GraftError) -> Bytes {
        func signed(_ digits: String, isNegative: Bool) -> Bytes {
            utf8((isNegative ? "-" : directive.isSigned ? "+" : directive.hasSpace ? " " : "") + digits)
        }
        switch letter {
        case ascii("s"), ascii("r"):
            try charge(value.weight)
            let text = letter == ascii("s") ? try value.written() : try value.quoted()
            guard let precision = directive.precision else { return text }
            return text.part(0..<text.byte(ofScalar: precision))
        case ascii("d"), ascii("i"), ascii("u"), ascii("x"), ascii("X"), ascii("o"):
            let isDecimal = letter == ascii("d") || letter == ascii("i") || letter == ascii("u")
            var whole = value.whole
            if whole == nil, isDecimal, let number = value.number { whole = Int(exactly: number.rounded(.towardZero)) }
            guard let whole else { throw unexpected("%: expected a number, found \(value.kind)") }
            let digits = String(
                whole.magnitude, radix: isDecimal ? 10 : letter == ascii("o") ? 8 : 16, uppercase: letter == ascii("X"))
            let zeros = max(0, min(directive.precision ?? 0, 1000) - digits.utf8.count)
            return signed(String(repeating: "0", count: zeros) + digits, isNegative: whole < 0)
        case ascii("f"), ascii("F"):
            guard let number = value.number else { throw unexpected("%: expected a number, found \(value.kind)") }
            return signed(try Self.fixed(number.magnitude, directive.precision ?? 6), isNegative: number.sign == .minus)
        case ascii("c"):
            if let whole = value.whole, let scalar = UInt32(exactly: whole), Unicode.Scalar(scalar) != nil {
                var text = Bytes()
                text.append(scalar: scalar)
                return text
            }
            if case .string(let text) = value, text.scalarCount == 1 { return text }
            throw unexpected("%c: expected one character")
        default:
            throw GraftError(.unsupported, "%\(String(UnicodeScalar(letter))) in a format is not supported")
        }
    }

    /// A number with so many digits after the point.
    static func fixed(_ number: Double, _ precision: Int) throws(GraftError) -> String {
        guard number.isFinite else { return number.isNaN ? "nan" : "inf" }
        guard precision <= 300 else { throw GraftError(.unsupported, "a precision of more than 300 digits") }
        var buffer = [CChar](repeating: 0, count: 700)
        let capacity = buffer.count
        let count = withVaList([Int32(precision), number]) { vsnprintf(&buffer, capacity, "%.*f", $0) }
        return String(decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Python's `format.format(…)` with `{}`, `{0}` and `{name}`.
    func filled(_ format: Bytes, _ arguments: Arguments) throws(GraftError) -> Value {
        var (out, position, next) = (Bytes(), 0, 0)
        while position < format.count {
            let byte = format[position]
            position += 1
            guard byte == ascii("{") || byte == ascii("}") else {
                out.append(byte)
                continue
            }
            if position < format.count, format[position] == byte {
                out.append(byte)
                position += 1
                continue
            }
            guard byte == ascii("{"), let end = format[position...].firstIndex(of: ascii("}")) else {
                throw unexpected("format: a brace stands alone")
            }
            let name = format.part(position..<end)
            position = end + 1
            guard name.allSatisfy({ $0 == ascii("_") || 0x30...0x39 ~= $0 || 0x61...0x7A ~= $0 | 0x20 }) else {
                throw GraftError(.unsupported, "format: {\(brief(name))} is not supported: expected {}, {0} or {name}")
            }
            let number = name.isEmpty ? next : Int(text(name))
            if name.isEmpty { next += 1 }
            let value =
                number.map { arguments.positional.indices.contains($0) ? arguments.positional[$0] : nil }
                ?? arguments.named.first { $0.name == name }?.value
            guard let value else { throw unexpected("format: there is no value for {\(brief(name))}") }
            out += try written(value)
            guard out.count <= Self.mostText else { throw tooMuch("a text of more than \(Self.mostText) bytes") }
        }
        return try made(out)
    }
}
