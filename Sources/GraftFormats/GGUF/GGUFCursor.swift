import GraftTensor

/// Reads a GGUF file from front to back: little-endian numbers at any address, and texts, none
/// beyond the end.
struct GGUFCursor {
    let bytes: UnsafeRawBufferPointer
    /// What messages call the file.
    let source: String
    var position = 0

    init(_ bytes: UnsafeRawBufferPointer, source: String, at position: Int = 0) {
        self.bytes = bytes
        self.source = source
        self.position = position
    }

    var remaining: Int { bytes.count - position }

    /// A place that is passed over.
    mutating func skip(_ count: Int, _ what: @autoclosure () -> String) throws(GraftError) {
        guard count >= 0, count <= remaining else {
            throw error(
                "\(what()) at byte \(position) takes \(count) bytes, and the file has \(remaining) more: it is cut")
        }
        position += count
    }

    mutating func number<Number: FixedWidthInteger>(
        _ type: Number.Type, _ what: @autoclosure () -> String
    ) throws(GraftError) -> Number {
        let start = position
        try skip(MemoryLayout<Number>.size, what())
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: Number.self))
    }

    /// A count of things that take at least so many bytes each, which the file has room for.
    mutating func count(ofAtLeast bytes: Int, _ what: @autoclosure () -> String) throws(GraftError) -> Int {
        let count = try number(UInt64.self, "the count of \(what())")
        guard count <= UInt64(remaining / bytes) else {
            throw error("there are \(count) \(what()) by the file, which has \(remaining) bytes for them")
        }
        return Int(count)
    }

    /// The place of a text: its length and then so many bytes.
    mutating func textRange(_ what: @autoclosure () -> String) throws(GraftError) -> Range<Int> {
        let length = try count(ofAtLeast: 1, "bytes of \(what())")
        let start = position
        try skip(length, what())
        return start..<position
    }

    /// A text, which must be UTF-8.
    mutating func text(_ what: @autoclosure () -> String) throws(GraftError) -> String {
        let range = try textRange(what())
        try Memory.require(range.count, to: "reading \(what()) of \(source)")
        guard let text = String(validating: bytes[range], as: UTF8.self) else {
            throw error("\(what()) at byte \(range.lowerBound) is not UTF-8")
        }
        return text
    }

    func error(_ message: String) -> GraftError { GraftError(.corruptFile, "\(source): \(message)") }
}

extension GGUFCursor {
    mutating func type(_ what: @autoclosure () -> String) throws(GraftError) -> GGUFType {
        let number = try number(UInt32.self, "the type of \(what())")
        guard let type = GGUFType(rawValue: number) else {
            throw error("\(what()) has the type \(number), and types are 0 to 12")
        }
        return type
    }

    mutating func value(
        _ type: GGUFType, _ what: @autoclosure () -> String
    ) throws(GraftError) -> GGUFValue {
        switch type {
        case .unsigned8: return .integer(Int(try number(UInt8.self, what())))
        case .signed8: return .integer(Int(try number(Int8.self, what())))
        case .unsigned16: return .integer(Int(try number(UInt16.self, what())))
        case .signed16: return .integer(Int(try number(Int16.self, what())))
        case .unsigned32: return .integer(Int(try number(UInt32.self, what())))
        case .signed32: return .integer(Int(try number(Int32.self, what())))
        case .signed64: return .integer(Int(try number(Int64.self, what())))
        case .unsigned64:
            let value = try number(UInt64.self, what())
            return Int(exactly: value).map { .integer($0) } ?? .float(Double(value))
        case .float32: return .float(Double(Float(bitPattern: try number(UInt32.self, what()))))
        case .float64: return .float(Double(bitPattern: try number(UInt64.self, what())))
        case .bool:
            let value = try number(UInt8.self, what())
            guard value <= 1 else { throw error("\(what()) is \(value): expected 0 or 1") }
            return .bool(value == 1)
        case .string: return .string(try text(what()))
        case .array: return .array(try array(what()))
        }
    }

    private mutating func array(_ what: @autoclosure () -> String) throws(GraftError) -> GGUFArray {
        let type = try type("an element of \(what())")
        guard type != .array else { throw error("\(what()) is an array of arrays, which the format does not have") }
        let count = try count(ofAtLeast: type.byteCount ?? 8, "elements of \(what())")
        let start = position
        if let size = type.byteCount {
            try skip(count * size, what())
        } else {
            for _ in 0..<count { _ = try textRange("an element of \(what())") }
        }
        return GGUFArray(type: type, count: count, range: start..<position)
    }
}
