import GraftTensor

/// A value of a GGUF file's metadata. Arrays stay where they are in the file.
package enum GGUFValue: Sendable {
    case integer(Int)
    /// Also a whole number that is beyond Int.
    case float(Double)
    case bool(Bool)
    case string(String)
    case array(GGUFArray)

    /// What a message calls it.
    package var kind: String {
        switch self {
        case .integer(let value): "the number \(value)"
        case .float(let value): "the number \(value)"
        case .bool(let value): "\(value)"
        case .string(let value): "the string \(JSON.string(value).shortText)"
        case .array(let value): "an array of \(value.count)"
        }
    }
}

/// An array of a GGUF file's metadata, which was checked to lie within the file.
package struct GGUFArray: Sendable {
    package let type: GGUFType
    package let count: Int
    /// Offsets in the file.
    let range: Range<Int>
}

/// The types of metadata. The raw value is the number in the file.
package enum GGUFType: UInt32, Sendable {
    case unsigned8 = 0
    case signed8 = 1
    case unsigned16 = 2
    case signed16 = 3
    case unsigned32 = 4
    case signed32 = 5
    case float32 = 6
    case bool = 7
    case string = 8
    case array = 9
    case unsigned64 = 10
    case signed64 = 11
    case float64 = 12

    /// Bytes of a value; nil where they vary.
    var byteCount: Int? {
        switch self {
        case .unsigned8, .signed8, .bool: 1
        case .unsigned16, .signed16: 2
        case .unsigned32, .signed32, .float32: 4
        case .unsigned64, .signed64, .float64: 8
        case .string, .array: nil
        }
    }
}
