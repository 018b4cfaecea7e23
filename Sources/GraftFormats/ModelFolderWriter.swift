import CGraftKernels
import GraftTensor

/// Writes a model as a folder in Hugging Face's layout: config.json, the weights in as many files
/// as the source has them, and the tokenizer and all else that lies beside them there.
///
/// Tensors are made, rounded to the types they are stored in, and written one after the other.
package struct ModelFolderWriter {
    private let source: any TensorSource
    /// Of each file, in the order of their names.
    private let files: [(name: String, entries: [TensorEntry])]

    private static let singleName = "model.safetensors"
    private static let indexName = "model.safetensors.index.json"
    private static let configName = "config.json"

    package init(_ source: any TensorSource) {
        self.source = source
        var files: [(name: String, entries: [TensorEntry])] = []
        for entry in source.tensorNames.compactMap(source.entry) {
            if let index = files.firstIndex(where: { $0.name == entry.file }) {
                files[index].entries.append(entry)
            } else {
                files.append((entry.file, [entry]))
            }
        }
        self.files = files
    }

    /// The folder is whole or not there; other weights that it held are gone.
    ///
    /// - Parameter others: files in the place of those that lie beside the weights, or among them.
    package func write(
        to path: String, with others: [(name: String, content: String)] = []
    ) throws(GraftError) {
        guard try FileSystem.destination(of: path) != FileSystem.destination(of: source.path) else {
            throw GraftError(
                .invalidArgument, "\(path): this is the folder that the model was loaded from; expected another one")
        }
        try AtomicDirectory.write(to: path, keys: [Self.configName]) { folder throws(GraftError) in
            var written = Set([Self.configName])
            for file in others where written.insert(file.name).inserted {
                try folder.write(file.content, to: file.name)
            }
            // A file of its own has no companions.
            let companions =
                FileKind.of(source.path) == .folder ? try CompanionFiles.names(in: source.path) : []
            for name in companions where written.insert(name).inserted {
                let file = try MappedFile(path: source.path + "/" + name)
                try folder.write(to: name) { output throws(GraftError) in
                    try file.withBytes { bytes throws(GraftError) in try output.write(bytes) }
                }
            }
            for file in files {
                written.insert(file.name)
                try folder.write(to: file.name) { output throws(GraftError) in try write(file.entries, to: output) }
            }
            if files.count != 1 || files.first?.name != Self.singleName {
                written.insert(Self.indexName)
                try folder.write(index, to: Self.indexName)
            }
            try folder.write(source.config.serialized(indent: 2) + "\n", to: Self.configName)
            for name in (try? FileSystem.names(in: path)) ?? []
            where CompanionFiles.isWeights(name) && !written.contains(name) {
                folder.omit(name)
            }
        }
    }

    private func write(_ entries: [TensorEntry], to output: OutputFile) throws(GraftError) {
        let layout = try SafetensorsLayout(
            entries.map { ($0.name, $0.elementType, $0.shape) }, metadata: [("format", "pt")])
        try output.write(layout.header)
        for index in layout.order {
            let tensor = try source.read(entries[index])
            try write(tensor, as: entries[index], to: output)
            tensor.release()
        }
    }

    private static let blockCount = 1 << 16

    private func write(_ tensor: StoredTensor, as entry: TensorEntry, to output: OutputFile) throws(GraftError) {
        guard tensor.elementType == .float32, entry.elementType != .float32, let type = entry.elementType.kernelType
        else { return try tensor.withBytes { bytes throws(GraftError) in try output.write(bytes) } }
        let width = entry.elementType.bitWidth / 8
        let rounded = try Memory(byteCount: Self.blockCount * width)
        let again = try Memory(byteCount: Self.blockCount * 4)
        try tensor.withBytes { bytes throws(GraftError) in
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: Float.self) else { return }
            for first in stride(from: 0, to: tensor.elementCount, by: Self.blockCount) {
                let count = min(Self.blockCount, tensor.elementCount - first)
                gk_from_float32(Int64(count), start + first, type, rounded.base)
                gk_to_float32(Int64(count), rounded.base, type, again.floats())
                let broken = Int(gk_first_not_finite(Int64(count), again.floats()))
                guard broken < 0 else {
                    throw GraftError(
                        .diverged,
                        "tensor \(JSON.string(entry.name).shortText): \((start + first)[broken]) is beyond "
                            + entry.elementType.rawValue)
                }
                try output.write(UnsafeRawBufferPointer(start: rounded.base, count: count * width))
            }
        }
    }

    /// As transformers writes it.
    private var index: String {
        var total = 0
        var map = JSONObject()
        for file in files {
            for entry in file.entries {
                total += entry.elementType.byteCount(shape: entry.shape) ?? 0
                map[entry.name] = .string(file.name)
            }
        }
        var index = JSONObject()
        index["metadata"] = ["total_size": .integer(total)]
        index["weight_map"] = .object(map)
        return JSON.object(index).serialized(indent: 2, sortedKeys: true) + "\n"
    }
}
