import GraftTensor

/// The metadata of a GGUF file that is written: keys with their values, in the order in which they
/// are added, as the file has them.
package struct GGUFMetadata: Sendable {
    package enum Value {
        case unsigned32(Int)
        case float32(Float)
        case bool(Bool)
        case string(String)
        case strings([[UInt8]])
        case integers([Int32])
        case floats([Float])

        /// As in the header of a file.
        fileprivate var type: GGUFType {
            switch self {
            case .unsigned32: .unsigned32
            case .float32: .float32
            case .bool: .bool
            case .string: .string
            case .strings, .integers, .floats: .array
            }
        }
    }

    package private(set) var count = 0
    private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func add(_ key: String, _ value: Value) {
        count += 1
        bytes.append(text: Array(key.utf8))
        bytes.append(little: value.type.rawValue)
        switch value {
        case .unsigned32(let value): bytes.append(little: UInt32(clamping: value))
        case .float32(let value): bytes.append(little: value.bitPattern)
        case .bool(let value): bytes.append(value ? 1 : 0)
        case .string(let value): bytes.append(text: Array(value.utf8))
        case .strings(let values):
            beginArray(.string, values.count)
            for value in values { bytes.append(text: value) }
        case .integers(let values):
            beginArray(.signed32, values.count)
            for value in values { bytes.append(little: value) }
        case .floats(let values):
            beginArray(.float32, values.count)
            for value in values { bytes.append(little: value.bitPattern) }
        }
    }

    private mutating func beginArray(_ type: GGUFType, _ count: Int) {
        bytes.append(little: type.rawValue)
        bytes.append(little: UInt64(count))
    }

    package mutating func add(_ other: GGUFMetadata) {
        count += other.count
        bytes += other.bytes
    }

    /// The keys of a file as they are there, but for some.
    package mutating func add(_ file: GGUFFile, except omitted: Set<String>) throws(GraftError) {
        let header = file.header
        try Memory.require(header.keyRanges.reduce(0) { $0 + $1.count }, to: "the metadata of \(file.path)")
        file.file.withBytes { bytes in
            for (index, (key, _)) in header.metadata.enumerated() where !omitted.contains(key) {
                count += 1
                self.bytes += bytes[header.keyRanges[index]]
            }
        }
    }
}

extension [UInt8] {
    mutating func append(little value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// A length and so many bytes.
    mutating func append(text: [UInt8]) {
        append(little: UInt64(text.count))
        append(contentsOf: text)
    }
}
