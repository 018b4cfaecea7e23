import GraftTensor

/// Reads JSON piece by piece from bytes, without building values: for objects with 150,000 entries.
///
/// ```
/// var reader = JSONReader(bytes, source: path)
/// try reader.beginObject()
/// while let key = try reader.nextKey() {
///     if key == "vocab" { … } else { try reader.skipValue() }
/// }
/// try reader.finish()
/// ```
/// After `nextKey`, and after `nextElement` says true, read or skip exactly one value. The grammar
/// is RFC 8259 without leniency; every error names the source, line and column. Equal keys are the
/// caller's to refuse. Nothing it returns outlives the bytes but what is a `String`.
package struct JSONReader {
    package enum Kind: String, Sendable {
        case null = "null"
        case bool = "a boolean"
        case number = "a number"
        case string = "a string"
        case array = "an array"
        case object = "an object"
    }

    package let bytes: UnsafeRawBufferPointer
    package let source: String
    /// Offset of the next byte.
    package internal(set) var position = 0
    private var depth = 0
    /// Whether a container was opened and nothing in it was read.
    private var isAtFirst = false

    package init(_ bytes: UnsafeRawBufferPointer, source: String) {
        self.bytes = bytes
        self.source = source
    }

    // MARK: Containers

    package mutating func beginObject() throws(GraftError) {
        try open(ascii("{"), "an object")
    }

    package mutating func beginArray() throws(GraftError) {
        try open(ascii("["), "an array")
    }

    /// The next member's key, with the reader before its value; nil when the object ended.
    package mutating func nextKey() throws(GraftError) -> JSONText? {
        guard try !closes(with: ascii("}"), "'}'") else { return nil }
        guard next == ascii("\"") else { throw unexpected("a key in double quotes") }
        let key = try readText()
        skipWhitespace()
        guard next == ascii(":") else { throw unexpected("':'") }
        position += 1
        return key
    }

    /// Whether there is another element, with the reader before it; false when the array ended.
    package mutating func nextElement() throws(GraftError) -> Bool {
        try !closes(with: ascii("]"), "']'")
    }

    private mutating func open(_ bracket: UInt8, _ name: String) throws(GraftError) {
        guard next(afterWhitespace: true) == bracket else { throw unexpected(name) }
        guard depth < JSON.maximumDepth else {
            throw error("nested deeper than \(JSON.maximumDepth) levels")
        }
        position += 1
        depth += 1
        isAtFirst = true
    }

    private mutating func closes(with bracket: UInt8, _ name: String) throws(GraftError) -> Bool {
        // Whoever reads a member or an element keeps something of it.
        try Memory.check()
        skipWhitespace()
        let wasAtFirst = isAtFirst
        isAtFirst = false
        if next == bracket {
            position += 1
            depth -= 1
            return true
        }
        if wasAtFirst { return false }
        guard next == ascii(",") else { throw unexpected("',' or \(name)") }
        position += 1
        skipWhitespace()
        if next == bracket { throw error("a comma before \(name)") }
        return false
    }

    // MARK: Values

    /// The kind of the value that comes next.
    package mutating func peekKind() throws(GraftError) -> Kind {
        guard let byte = next(afterWhitespace: true) else { throw unexpected("a value") }
        switch byte {
        case ascii("{"): return .object
        case ascii("["): return .array
        case ascii("\""): return .string
        case ascii("t"), ascii("f"): return .bool
        case ascii("n"): return .null
        case ascii("-"), ascii("0")...ascii("9"): return .number
        case ascii("N"), ascii("I"): throw error("NaN and Infinity are not JSON")
        default: throw unexpected("a value")
        }
    }

    package mutating func readString() throws(GraftError) -> String {
        try readText().string
    }

    /// A string as it stands in the bytes.
    package mutating func readText() throws(GraftError) -> JSONText {
        guard next(afterWhitespace: true) == ascii("\"") else { throw unexpected("a string") }
        return try scanText()
    }

    /// An integer that fits 64 bits, written without fraction and exponent.
    package mutating func readInt() throws(GraftError) -> Int {
        guard try peekKind() == .number else { throw unexpected("an integer") }
        let start = position
        let text = try scanNumber()
        guard let value = Int(exactly: text) else {
            position = start
            throw error("expected an integer of 64 bits, found \(JSON.number(string(of: text)).kind)")
        }
        return value
    }

    package mutating func readDouble() throws(GraftError) -> Double {
        skipWhitespace()
        let start = position
        let text = try readNumberText()
        guard let value = Double(text), value.isFinite else {
            position = start
            throw error("\(JSON.number(text).kind) is beyond what a 64-bit float holds")
        }
        return value
    }

    /// A number in its own spelling.
    package mutating func readNumberText() throws(GraftError) -> String { string(of: try readNumberBytes()) }

    /// The same as it stands in the bytes.
    package mutating func readNumberBytes() throws(GraftError) -> UnsafeRawBufferPointer {
        guard try peekKind() == .number else { throw unexpected("a number") }
        return try scanNumber()
    }

    package mutating func readBool() throws(GraftError) -> Bool {
        switch next(afterWhitespace: true) {
        case ascii("t"):
            try readWord("true")
            return true
        case ascii("f"):
            try readWord("false")
            return false
        default: throw unexpected("true or false")
        }
    }

    package mutating func readNull() throws(GraftError) {
        guard next(afterWhitespace: true) == ascii("n") else { throw unexpected("null") }
        try readWord("null")
    }

    /// Passes over one value of any kind, checking it all the same.
    package mutating func skipValue() throws(GraftError) {
        switch try peekKind() {
        case .null: try readNull()
        case .bool: _ = try readBool()
        case .number: _ = try scanNumber()
        case .string: _ = try scanText()
        case .array:
            try beginArray()
            while try nextElement() { try skipValue() }
        case .object:
            try beginObject()
            while try nextKey() != nil { try skipValue() }
        }
    }

    /// Checks that nothing but white space follows the outermost value.
    package mutating func finish() throws(GraftError) {
        guard next(afterWhitespace: true) == nil else { throw unexpected("the end of the file") }
    }

    // MARK: Bytes

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func next(afterWhitespace: Bool) -> UInt8? {
        skipWhitespace()
        return next
    }

    @inline(__always)
    private mutating func skipWhitespace() {
        if position < bytes.count, bytes[position] <= 0x20 { skipSpaces() }
    }

    @inline(never)
    private mutating func skipSpaces() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
            // Files that are spaced for readers are half spaces.
            while bytes.count - position >= 8 {
                let others = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self) ^ 0x2020_2020_2020_2020
                position += others.littleEndian.trailingZeroBitCount / 8
                if others != 0 { break }
            }
        }
    }

    private mutating func readWord(_ word: StaticString) throws(GraftError) {
        let length = word.utf8CodeUnitCount
        let matches =
            length <= bytes.count - position
            && (0..<length).allSatisfy { bytes[position + $0] == word.utf8Start[$0] }
        guard matches else { throw error("expected \(word)") }
        position += length
    }
}
