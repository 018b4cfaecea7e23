/// The types of elements in a safetensors file, from the lowest to the highest of its writer's
/// order.
///
/// The raw value is the name in the file. Graft takes the 64-bit, 32-bit and 16-bit floats; the
/// others are named so that a file that holds them reads, and a model that needs them is refused by
/// name.
package enum ElementType: String, Sendable, CaseIterable {
    case bool = "BOOL"
    case float4 = "F4"
    case float6E2M3 = "F6_E2M3"
    case float6E3M2 = "F6_E3M2"
    case unsigned8 = "U8"
    case signed8 = "I8"
    case float8E5M2 = "F8_E5M2"
    case float8E4M3 = "F8_E4M3"
    case float8E8M0 = "F8_E8M0"
    case float8E4M3FNUZ = "F8_E4M3FNUZ"
    case float8E5M2FNUZ = "F8_E5M2FNUZ"
    case signed16 = "I16"
    case unsigned16 = "U16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case signed32 = "I32"
    case unsigned32 = "U32"
    case float32 = "F32"
    case complex64 = "C64"
    case float64 = "F64"
    case signed64 = "I64"
    case unsigned64 = "U64"

    /// Bits of one element; elements of less than a byte are packed.
    package var bitWidth: Int {
        switch self {
        case .float4: 4
        case .float6E2M3, .float6E3M2: 6
        case .bool, .unsigned8, .signed8, .float8E5M2, .float8E4M3, .float8E8M0, .float8E4M3FNUZ, .float8E5M2FNUZ: 8
        case .signed16, .unsigned16, .float16, .bfloat16: 16
        case .signed32, .unsigned32, .float32: 32
        case .complex64, .float64, .signed64, .unsigned64: 64
        }
    }

    /// Bytes of one element; nil for elements of less than a byte.
    package var byteWidth: Int? {
        bitWidth % 8 == 0 ? bitWidth / 8 : nil
    }

    /// Bytes of a tensor; nil where the sizes are negative, the product overflows or the last byte
    /// is not full.
    package func byteCount(shape: [Int]) -> Int? {
        var bits = bitWidth
        for size in shape {
            let (product, overflows) = bits.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflows else { return nil }
            bits = product
        }
        return bits % 8 == 0 ? bits / 8 : nil
    }

    /// Place in the order in which tensors are written: the highest comes first in a file.
    var rank: Int {
        Self.ranks[self] ?? 0
    }

    private static let ranks = Dictionary(uniqueKeysWithValues: zip(allCases, 0...))
}
