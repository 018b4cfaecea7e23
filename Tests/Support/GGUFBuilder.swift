/// Bytes of a GGUF file, for tests that need one that no writer would make.
package struct GGUFBuilder {
    package enum Value {
        case unsigned32(UInt32)
        case float32(Float)
        case bool(Bool)
        case string(String)
        case strings([String])
        case integers([Int32])
        case floats([Float])
        /// A type and its bytes, as they are.
        case raw(UInt32, [UInt8])
    }

    package var version: UInt32 = 3
    package var keys: [(String, Value)] = []
    /// Sizes from the fastest to the slowest index, as in the file.
    package var tensors: [(name: String, sizes: [UInt64], type: UInt32, offset: UInt64)] = []
    package var data: [UInt8] = []
    package var alignment = 32
    /// In place of the true ones.
    package var tensorCount: UInt64?
    package var keyCount: UInt64?

    package init(_ keys: [(String, Value)] = []) { self.keys = keys }

    package var bytes: [UInt8] {
        var out = Array("GGUF".utf8)
        out += Self.little(version)
        out += Self.little(tensorCount ?? UInt64(tensors.count))
        out += Self.little(keyCount ?? UInt64(keys.count))
        for (key, value) in keys { out += Self.text(key) + Self.bytes(value) }
        for tensor in tensors {
            out += Self.text(tensor.name) + Self.little(UInt32(tensor.sizes.count))
            for size in tensor.sizes { out += Self.little(size) }
            out += Self.little(tensor.type) + Self.little(tensor.offset)
        }
        while out.count % alignment != 0 { out.append(0) }
        return out + data
    }

    package static func little<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    package static func text(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + Array(text.utf8) }

    private static func bytes(_ value: Value) -> [UInt8] {
        switch value {
        case .unsigned32(let value): little(UInt32(4)) + little(value)
        case .float32(let value): little(UInt32(6)) + little(value.bitPattern)
        case .bool(let value): little(UInt32(7)) + [value ? 1 : 0]
        case .string(let value): little(UInt32(8)) + text(value)
        case .strings(let values): array(8, values.count, values.flatMap(text))
        case .integers(let values): array(5, values.count, values.flatMap(little))
        case .floats(let values): array(6, values.count, values.flatMap { little($0.bitPattern) })
        case .raw(let type, let bytes): little(type) + bytes
        }
    }

    private static func array(_ type: UInt32, _ count: Int, _ bytes: [UInt8]) -> [UInt8] {
        little(UInt32(9)) + little(type) + little(UInt64(count)) + bytes
    }
}
