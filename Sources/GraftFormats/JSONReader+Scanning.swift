import GraftTensor

/// The lexical level of `JSONReader`: strings, numbers, and errors with their place.
extension JSONReader {
    /// Passes over a string, checking escapes and UTF-8; `next` is its opening quote.
    mutating func scanText() throws(GraftError) -> JSONText {
        let opening = position
        position += 1
        let start = position
        var isPlain = true
        while position < bytes.count {
            switch bytes[position] {
            case ascii("\""):
                let text = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
                position += 1
                return JSONText(bytes: text, isPlain: isPlain)
            case ascii("\\"):
                isPlain = false
                try scanEscape()
            case 0x00..<0x20:
                throw error("a control character inside a string must be escaped")
            case 0x20..<0x80:
                position += 1
            default:
                guard let length = UTF8Scanning.sequenceLength(in: bytes, at: position) else {
                    throw error("invalid UTF-8: byte 0x\(hexadecimal(bytes[position]))")
                }
                position += length
            }
        }
        position = opening
        throw error("this string does not end")
    }

    private mutating func scanEscape() throws(GraftError) {
        let start = position
        position += 1
        guard let letter = next else { throw error("the file ends inside an escape") }
        position += 1
        switch letter {
        case ascii("\""), ascii("\\"), ascii("/"), ascii("b"), ascii("f"), ascii("n"), ascii("r"), ascii("t"):
            return
        case ascii("u"):
            let unit = try scanFourDigits()
            if (0xDC00...0xDFFF).contains(unit) {
                position = start
                throw error("the second half of a surrogate pair without the first")
            }
            guard (0xD800...0xDBFF).contains(unit) else { return }
            if next == ascii("\\"), position + 1 < bytes.count, bytes[position + 1] == ascii("u") {
                position += 2
                if (0xDC00...0xDFFF).contains(try scanFourDigits()) { return }
            }
            position = start
            throw error("the first half of a surrogate pair without the second")
        default:
            position = start
            throw error("no such escape in JSON")
        }
    }

    private mutating func scanFourDigits() throws(GraftError) -> UInt32 {
        guard bytes.count - position >= 4 else { throw error("\\u needs four hexadecimal digits") }
        var unit: UInt32 = 0
        for offset in position..<position + 4 {
            guard let digit = hexadecimalValue(bytes[offset]) else {
                throw error("\\u needs four hexadecimal digits")
            }
            unit = unit << 4 | digit
        }
        position += 4
        return unit
    }

    /// Passes over a number and returns its spelling; `next` is its first character.
    mutating func scanNumber() throws(GraftError) -> UnsafeRawBufferPointer {
        let start = position
        if next == ascii("-") { position += 1 }
        if next == ascii("0") {
            position += 1
            if let digit = next, isDigit(digit) { throw error("a number must not start with 0") }
        } else {
            try scanDigits()
        }
        if next == ascii(".") {
            position += 1
            try scanDigits()
        }
        if next == ascii("e") || next == ascii("E") {
            position += 1
            if next == ascii("+") || next == ascii("-") { position += 1 }
            try scanDigits()
        }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    }

    private mutating func scanDigits() throws(GraftError) {
        let start = position
        while position < bytes.count, isDigit(bytes[position]) { position += 1 }
        if position == start { throw unexpected("a digit") }
    }

    func string(of ascii: UnsafeRawBufferPointer) -> String {
        String(decoding: ascii, as: UTF8.self)
    }

    // MARK: Errors

    /// An error at the next byte: "tokenizer.json, line 3, column 7: …". Costs a pass over the
    /// bytes before it.
    package func error(_ message: String) -> GraftError {
        var line = 1
        var column = 1
        for byte in bytes[..<min(position, bytes.count)] {
            if byte == ascii("\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return GraftError(.corruptFile, "\(source), line \(line), column \(column): \(message)")
    }

    /// The error for another byte than `expected`.
    package func unexpected(_ expected: String) -> GraftError {
        error("expected \(expected), found \(nextInWords)")
    }

    private var nextInWords: String {
        guard let byte = next else { return "the end of the file" }
        if position == 0, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return "a byte order mark" }
        switch byte {
        case ascii("\""): return "a string"
        case ascii("\n"), ascii("\r"): return "the end of the line"
        case 0x21..<0x7F: return "'\(Character(Unicode.Scalar(byte)))'"
        default: return "byte 0x\(hexadecimal(byte))"
        }
    }

    private func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.utf8.count == 1 ? "0" + digits : digits
    }
}

/// The byte of an ASCII character.
@inline(__always)
func ascii(_ character: Unicode.Scalar) -> UInt8 {
    UInt8(truncatingIfNeeded: character.value)
}

func isDigit(_ byte: UInt8) -> Bool {
    byte &- ascii("0") < 10
}

func hexadecimalValue(_ byte: UInt8) -> UInt32? {
    switch byte {
    case ascii("0")...ascii("9"): UInt32(byte &- ascii("0"))
    case ascii("a")...ascii("f"): UInt32(byte &- ascii("a") &+ 10)
    case ascii("A")...ascii("F"): UInt32(byte &- ascii("A") &+ 10)
    default: nil
    }
}

extension Int {
    /// The integer that these characters spell, or nil: not an integer, or beyond 64 bits.
    init?(exactly spelling: UnsafeRawBufferPointer) {
        let isNegative = spelling.first == ascii("-")
        var value = 0
        for byte in spelling.dropFirst(isNegative ? 1 : 0) {
            guard isDigit(byte) else { return nil }
            let digit = Int(byte &- ascii("0"))
            let (tens, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowsToo) =
                isNegative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
            guard !overflows, !overflowsToo else { return nil }
            value = sum
        }
        self = value
    }
}
