import GraftTensor

/// Reads a message in the wire format of Protocol Buffers: numbered fields in any order, of which
/// the caller takes those it knows.
struct ProtobufReader {
    /// What stands before a field's value. Groups, long out of use, are damage here.
    private enum Wire: UInt64 {
        case varint = 0
        case fixed64 = 1
        case bytes = 2
        case fixed32 = 5
    }

    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    /// The value of the field read last is here.
    private var wire = Wire.varint
    private let source: String

    /// - Parameter bytes: which must stay while this is used.
    init(_ bytes: UnsafeRawBufferPointer, source: String) {
        self.bytes = bytes
        self.source = source
    }

    /// Calls `body` with the number of each field and a value to take, or not.
    static func forEachField(
        of bytes: UnsafeRawBufferPointer, source: String,
        _ body: (Int, inout ProtobufReader) throws(GraftError) -> Void
    ) throws(GraftError) {
        var reader = ProtobufReader(bytes, source: source)
        while reader.position < bytes.count {
            let tag = try reader.readVarint()
            guard let wire = Wire(rawValue: tag & 7), tag >> 3 > 0, tag >> 3 < 1 << 29 else {
                throw reader.damage("expected a field")
            }
            reader.wire = wire
            let start = reader.position
            let end = try reader.endOfValue()
            try body(Int(tag >> 3), &reader)
            guard reader.position == start || reader.position == end else { throw reader.damage("expected a value") }
            reader.position = end
        }
    }

    /// A number; nil where the field holds something else, and is none that the caller knows.
    mutating func integer() throws(GraftError) -> UInt64? {
        wire == .varint ? try readVarint() : nil
    }

    mutating func bool() throws(GraftError) -> Bool? { try integer().map { $0 != 0 } }

    mutating func float() throws(GraftError) -> Float? {
        guard wire == .fixed32 else { return nil }
        let bits = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
        position += 4
        return Float(bitPattern: bits)
    }

    /// Bytes, a text or a message within.
    mutating func block() throws(GraftError) -> UnsafeRawBufferPointer? {
        guard wire == .bytes else { return nil }
        let count = try readCount()
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    /// Where the value ends, which is all there.
    private mutating func endOfValue() throws(GraftError) -> Int {
        let start = position
        defer { position = start }
        switch wire {
        case .varint:
            _ = try readVarint()
            return position
        case .bytes:
            let count = try readCount()
            return position + count
        case .fixed32, .fixed64:
            let count = wire == .fixed32 ? 4 : 8
            guard bytes.count - position >= count else { throw damage("expected \(count) bytes") }
            return position + count
        }
    }

    private mutating func readCount() throws(GraftError) -> Int {
        let count = try readVarint()
        guard count <= UInt64(bytes.count - position) else {
            throw damage("expected \(count) bytes, found \(bytes.count - position)")
        }
        return Int(count)
    }

    /// Seven bits a byte, the lowest first.
    private mutating func readVarint() throws(GraftError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard position < bytes.count else { throw damage("expected a number") }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw damage("expected a number of at most 64 bits")
    }

    private func damage(_ expected: String) -> GraftError {
        GraftError(
            .corruptFile, "\(source): no file of SentencePiece at byte \(position) of \(bytes.count): \(expected)")
    }
}
