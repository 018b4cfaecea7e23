import GraftTensor

/// How a safetensors file is laid out: its header, and the order of the tensors' bytes.
///
/// Tensors go by element type, the widest first, then by name. The header is compact JSON, padded
/// with spaces to a multiple of 8 bytes.
package struct SafetensorsLayout: Sendable {
    package typealias Entry = (name: String, elementType: ElementType, shape: [Int])

    /// What the file begins with.
    package let header: [UInt8]
    /// The places of the given tensors, in the order of their bytes.
    package let order: [Int]
    /// Bytes of all tensors.
    package let dataByteCount: Int

    /// Equal names, `__metadata__` as a name, and shapes that are no whole number of bytes are
    /// refused.
    package init(_ tensors: [Entry], metadata: SafetensorsWriter.Metadata? = nil) throws(GraftError) {
        // A tensor's entry with its name escaped, and the object that it is written from.
        let size =
            tensors.reduce(0) { $0 + 512 + 6 * $1.name.utf8.count }
            + (metadata ?? []).reduce(0) { $0 + 6 * ($1.key.utf8.count + $1.value.utf8.count) }
        try Memory.require(size, to: "writing \(tensors.count) tensors")
        let order = tensors.indices.sorted { left, right in
            let (left, right) = (tensors[left], tensors[right])
            return left.elementType == right.elementType
                ? ExactString(left.name) < ExactString(right.name) : left.elementType.rank > right.elementType.rank
        }
        var names = KeyIndex(capacity: tensors.count)
        var root = JSONObject()
        if let metadata {
            var object = JSONObject()
            for (key, value) in metadata { object[key] = .string(value) }
            root["__metadata__"] = .object(object)
        }
        var offset = 0
        for (position, index) in order.enumerated() {
            try Memory.check()
            let tensor = tensors[index]
            let name = JSON.string(tensor.name).shortText
            guard tensor.name != "__metadata__", names.insert(tensor.name, at: position, { tensors[order[$0]].name })
            else { throw GraftError(.invalidArgument, "two tensors, or tensor and metadata, are called \(name)") }
            guard let count = tensor.elementType.byteCount(shape: tensor.shape) else {
                throw GraftError(
                    .invalidArgument,
                    "tensor \(name): \(tensor.elementType.rawValue) \(tensor.shape) is no whole number of bytes")
            }
            let end = offset + count
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
        self.order = order
        dataByteCount = offset
    }
}
