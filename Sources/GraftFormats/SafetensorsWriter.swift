import GraftTensor

/// Writes safetensors files equal to those of the safetensors package, to the byte.
///
/// Tensors are views: whose bytes they are stays alive and unchanged until they are written.
package struct SafetensorsWriter: @unchecked Sendable {
    /// A tensor to write; its bytes are row-major and little-endian.
    package typealias Tensor = (name: String, elementType: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer)
    /// `__metadata__`, in the order to write; the package itself writes more than one pair in any
    /// order.
    package typealias Metadata = [(key: String, value: String)]

    private let layout: SafetensorsLayout
    private let ordered: [Tensor]

    /// Lays the file out. Equal names, `__metadata__` as a name, and bytes that do not fit a shape
    /// are refused.
    package init(tensors: [Tensor], metadata: Metadata? = nil) throws(GraftError) {
        for tensor in tensors where tensor.elementType.byteCount(shape: tensor.shape) != tensor.bytes.count {
            throw GraftError(
                .invalidArgument,
                "tensor \(JSON.string(tensor.name).shortText): \(tensor.bytes.count) bytes are not "
                    + "\(tensor.elementType.rawValue) \(tensor.shape)")
        }
        layout = try SafetensorsLayout(tensors.map { ($0.name, $0.elementType, $0.shape) }, metadata: metadata)
        ordered = layout.order.map { tensors[$0] }
    }

    /// The file in memory.
    package static func serialize(tensors: [Tensor], metadata: Metadata? = nil) throws(GraftError) -> [UInt8] {
        let writer = try SafetensorsWriter(tensors: tensors, metadata: metadata)
        var bytes = writer.layout.header
        let count = bytes.count + tensors.reduce(0) { $0 + $1.bytes.count }
        try Memory.require(count, to: "writing tensors")
        bytes.reserveCapacity(count)
        for tensor in writer.ordered { bytes.append(contentsOf: tensor.bytes) }
        return bytes
    }

    /// Writes a file that is at every instant either the old one or the new one, whole.
    package static func write(
        tensors: [Tensor], metadata: Metadata? = nil, to path: String
    ) throws(GraftError) {
        let writer = try SafetensorsWriter(tensors: tensors, metadata: metadata)
        try AtomicFile.write(to: path) { output throws(GraftError) in try writer.write(to: output) }
    }

    /// Writes the file's bytes to a file that is open, such as one of an `AtomicDirectory`. No copy
    /// is made.
    package func write(to output: some ByteOutput) throws(GraftError) {
        try output.write(layout.header)
        for tensor in ordered { try output.write(tensor.bytes) }
    }
}
