import GraftTensor

/// Writes safetensors files equal to those of the safetensors package, to the byte.
///
/// Tensors are views: whose bytes they are stays alive and unchanged until they are written.
///
/// Tensors go by element type, the widest first, then by name. The header is compact JSON, padded
/// with spaces to a multiple of 8 bytes.
package struct SafetensorsWriter: @unchecked Sendable {
    /// A tensor to write; its bytes are row-major and little-endian.
    package typealias Tensor = (name: String, elementType: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer)
    /// `__metadata__`, in the order to write; the package itself writes more than one pair in any
    /// order.
    package typealias Metadata = [(key: String, value: String)]

    private let header: [UInt8]
    private let ordered: [Tensor]

    /// Lays the file out. Equal names, `__metadata__` as a name, and bytes that do not fit a shape
    /// are refused.
    package init(tensors: [Tensor], metadata: Metadata? = nil) throws(GraftError) {
        // A tensor's entry with its name escaped, and the object that it is written from.
        let size =
            tensors.reduce(0) { $0 + 512 + 6 * $1.name.utf8.count }
            + (metadata ?? []).reduce(0) { $0 + 6 * ($1.key.utf8.count + $1.value.utf8.count) }
        try Memory.require(size, to: "writing \(tensors.count) tensors")
        ordered = tensors.sorted { left, right in
            left.elementType == right.elementType
                ? ExactString(left.name) < ExactString(right.name) : left.elementType.rank > right.elementType.rank
        }
        var names = KeyIndex(capacity: ordered.count)
        var root = JSONObject()
        if let metadata {
            var object = JSONObject()
            for (key, value) in metadata { object[key] = .string(value) }
            root["__metadata__"] = .object(object)
        }
        var offset = 0
        for (position, tensor) in ordered.enumerated() {
            try Memory.check()
            let name = JSON.string(tensor.name).shortText
            guard tensor.name != "__metadata__",
                names.insert(tensor.name, at: position, { [ordered] in ordered[$0].name })
            else { throw GraftError(.invalidArgument, "two tensors, or tensor and metadata, are called \(name)") }
            guard tensor.elementType.byteCount(shape: tensor.shape) == tensor.bytes.count else {
                throw GraftError(
                    .invalidArgument,
                    "tensor \(name): \(tensor.bytes.count) bytes are not \(tensor.elementType.rawValue) \(tensor.shape)"
                )
            }
            let end = offset + tensor.bytes.count
            root[tensor.name] = [
                "dtype": .string(tensor.elementType.rawValue),
                "shape": .array(tensor.shape.map(JSON.integer)),
                "data_offsets": [.integer(offset), .integer(end)],
            ]
            offset = end
        }
        var text = JSON.object(root).serializedBytes(JSON.Style(escapesNonASCII: false, isCompact: true))
        while text.count % 8 != 0 { text.append(ascii(" ")) }
        guard text.count <= SafetensorsHeader.maximumLength else {
            throw GraftError(
                .invalidArgument,
                "names and shapes take \(text.count) bytes, more than the \(SafetensorsHeader.maximumLength) of a header"
            )
        }
        let length = UInt64(text.count).littleEndian
        header = withUnsafeBytes(of: length) { Array($0) } + text
    }

    /// The file in memory.
    package static func serialize(tensors: [Tensor], metadata: Metadata? = nil) throws(GraftError) -> [UInt8] {
        let writer = try SafetensorsWriter(tensors: tensors, metadata: metadata)
        var bytes = writer.header
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
        try output.write(header)
        for tensor in ordered { try output.write(tensor.bytes) }
    }
}
