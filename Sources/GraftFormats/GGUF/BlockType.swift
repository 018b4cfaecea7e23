import CGraftKernels

/// The types of tensors in a GGUF file: plain numbers, or blocks of quantised ones that share their
/// scales.
///
/// The raw value is the number in the file. Those without a kernel's name are named so that a file
/// that holds them reads, and a model that needs them is refused by name.
package enum BlockType: UInt32, Sendable, CaseIterable {
    case float32 = 0
    case float16 = 1
    case q4_0 = 2
    case q4_1 = 3
    case q5_0 = 6
    case q5_1 = 7
    case q8_0 = 8
    case q8_1 = 9
    case q2K = 10
    case q3K = 11
    case q4K = 12
    case q5K = 13
    case q6K = 14
    case q8K = 15
    case iq2XXS = 16
    case iq2XS = 17
    case iq3XXS = 18
    case iq1S = 19
    case iq4NL = 20
    case iq3S = 21
    case iq2S = 22
    case iq4XS = 23
    case signed8 = 24
    case signed16 = 25
    case signed32 = 26
    case signed64 = 27
    case float64 = 28
    case iq1M = 29
    case bfloat16 = 30
    case tq1_0 = 34
    case tq2_0 = 35
    case mxfp4 = 39

    /// What llama.cpp calls it, the elements of a block, its bytes, and the kernels' name.
    private var traits: (name: String, elements: Int, bytes: Int, kernel: Int?) {
        switch self {
        case .float32: ("F32", 1, 4, GK_FLOAT32)
        case .float16: ("F16", 1, 2, GK_FLOAT16)
        case .q4_0: ("Q4_0", 32, 18, GK_Q4_0)
        case .q4_1: ("Q4_1", 32, 20, GK_Q4_1)
        case .q5_0: ("Q5_0", 32, 22, GK_Q5_0)
        case .q5_1: ("Q5_1", 32, 24, GK_Q5_1)
        case .q8_0: ("Q8_0", 32, 34, GK_Q8_0)
        case .q8_1: ("Q8_1", 32, 40, nil)
        case .q2K: ("Q2_K", 256, 84, GK_Q2_K)
        case .q3K: ("Q3_K", 256, 110, GK_Q3_K)
        case .q4K: ("Q4_K", 256, 144, GK_Q4_K)
        case .q5K: ("Q5_K", 256, 176, GK_Q5_K)
        case .q6K: ("Q6_K", 256, 210, GK_Q6_K)
        case .q8K: ("Q8_K", 256, 292, nil)
        case .iq2XXS: ("IQ2_XXS", 256, 66, nil)
        case .iq2XS: ("IQ2_XS", 256, 74, nil)
        case .iq3XXS: ("IQ3_XXS", 256, 98, nil)
        case .iq1S: ("IQ1_S", 256, 50, nil)
        case .iq4NL: ("IQ4_NL", 32, 18, GK_IQ4_NL)
        case .iq3S: ("IQ3_S", 256, 110, nil)
        case .iq2S: ("IQ2_S", 256, 82, nil)
        case .iq4XS: ("IQ4_XS", 256, 136, nil)
        case .signed8: ("I8", 1, 1, nil)
        case .signed16: ("I16", 1, 2, nil)
        case .signed32: ("I32", 1, 4, nil)
        case .signed64: ("I64", 1, 8, nil)
        case .float64: ("F64", 1, 8, GK_FLOAT64)
        case .iq1M: ("IQ1_M", 256, 56, nil)
        case .bfloat16: ("BF16", 1, 2, GK_BFLOAT16)
        case .tq1_0: ("TQ1_0", 256, 54, nil)
        case .tq2_0: ("TQ2_0", 256, 66, nil)
        case .mxfp4: ("MXFP4", 32, 17, GK_MXFP4)
        }
    }

    package var name: String { traits.name }
    /// 1 for plain numbers.
    package var blockElements: Int { traits.elements }
    package var blockBytes: Int { traits.bytes }
    /// nil where the kernels cannot read it.
    package var kernelType: gk_type? { traits.kernel.map { gk_type($0) } }

    /// What a checkpoint in safetensors would hold of it without loss.
    package var elementType: ElementType {
        switch self {
        case .float16: .float16
        case .bfloat16: .bfloat16
        case .float64: .float64
        default: .float32
        }
    }

    /// Bytes of a tensor; nil where a row is no whole number of blocks, or the product overflows.
    ///
    /// - Parameter shape: sizes from the slowest to the fastest index, none below 0.
    package func byteCount(shape: [Int]) -> Int? {
        guard (shape.last ?? 1) % blockElements == 0 else { return nil }
        var count = 1
        for size in shape {
            let (product, overflows) = count.multipliedReportingOverflow(by: size)
            guard !overflows else { return nil }
            count = product
        }
        let (bytes, overflows) = (count / blockElements).multipliedReportingOverflow(by: blockBytes)
        return overflows ? nil : bytes
    }
}
