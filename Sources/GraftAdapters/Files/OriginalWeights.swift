import CGraftKernels
import Glibc
import GraftFormats
import GraftLayers
import GraftTensor

/// A weights file as it was read, to be written byte for byte again, without a second copy of the
/// adapter's numbers: a tensor that the adapter holds is made from its numbers, and only the rest
/// is kept.
package struct OriginalWeights: Sendable {
    private enum Piece: Sendable {
        /// Bytes of the rest.
        case rest(Range<Int>)
        case numbers(Parameter, ElementType)
    }

    private var pieces: [Piece] = []
    private let rest: Memory

    /// `parameters` has the place of each tensor that `values` were read from.
    init(
        _ file: SafetensorsFile, parameters: [ExactString: Parameter], values: UnsafePointer<Float>
    ) throws(GraftError) {
        let bytes = file.file.bytes
        let tensors = file.tensors
        var restored: [(parameter: Parameter, type: ElementType)?] = []
        var held = 0
        for tensor in tensors {
            try Memory.check()
            let source = try Self.source(of: tensor, parameters, values)
            if source != nil { held += tensor.bytes.count }
            restored.append(source)
        }
        rest = try Memory(byteCount: bytes.count - held)
        // Tensors stand in the order of their bytes and fill the file to its end.
        var used = 0
        func keep(_ part: UnsafeRawBufferPointer) {
            guard !part.isEmpty, let start = part.baseAddress else { return }
            (rest.base + used).copyMemory(from: start, byteCount: part.count)
            pieces.append(.rest(used..<used + part.count))
            used += part.count
        }
        let headCount = bytes.count - tensors.reduce(0) { $0 + $1.bytes.count }
        keep(UnsafeRawBufferPointer(rebasing: bytes[..<headCount]))
        for (tensor, source) in zip(tensors, restored) {
            if let source {
                pieces.append(.numbers(source.parameter, source.type))
            } else {
                keep(tensor.bytes)
            }
        }
        withExtendedLifetime(file) {}
    }

    /// Where a tensor's bytes can be made from: nil where the adapter does not hold it, or holds
    /// what rounds to others.
    private static func source(
        of tensor: StoredTensor, _ parameters: [ExactString: Parameter], _ values: UnsafePointer<Float>
    ) throws(GraftError) -> (parameter: Parameter, type: ElementType)? {
        let type = tensor.elementType
        guard let parameter = parameters[ExactString(tensor.name)], type.kernelType != nil,
            let stored = tensor.bytes.baseAddress
        else { return nil }
        var isEqual = true
        var offset = 0
        try eachBlock(parameter, type, values) { block throws(GraftError) in
            guard let start = block.baseAddress else { return }
            isEqual = isEqual && memcmp(start, stored + offset, block.count) == 0
            offset += block.count
        }
        return isEqual ? (parameter, type) : nil
    }

    /// Bytes that it holds beside the adapter's numbers.
    var residentByteCount: Int { rest.residentByteCount }

    func write(to output: some ByteOutput, values: UnsafePointer<Float>) throws(GraftError) {
        for piece in pieces {
            switch piece {
            case .rest(let range):
                try output.write(UnsafeRawBufferPointer(start: rest.base + range.lowerBound, count: range.count))
            case .numbers(let parameter, let type):
                try Self.eachBlock(parameter, type, values) { block throws(GraftError) in try output.write(block) }
            }
        }
    }

    /// A tensor's numbers as the file has them.
    private static func eachBlock(
        _ parameter: Parameter, _ type: ElementType, _ values: UnsafePointer<Float>,
        _ body: (UnsafeRawBufferPointer) throws(GraftError) -> Void
    ) throws(GraftError) {
        let start = values + parameter.offset
        let width = type.bitWidth / 8
        guard let kernelType = type.kernelType, type != .float32 else {
            return try body(UnsafeRawBufferPointer(start: start, count: parameter.count * width))
        }
        let size = 1 << 14
        let block = try Memory(byteCount: size * width)
        for first in stride(from: 0, to: parameter.count, by: size) {
            let count = min(size, parameter.count - first)
            gk_from_float32(Int64(count), start + first, kernelType, block.base)
            try body(UnsafeRawBufferPointer(start: block.base, count: count * width))
        }
    }
}
