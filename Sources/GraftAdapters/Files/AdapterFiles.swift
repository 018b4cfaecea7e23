import GraftFormats
import GraftTensor

/// The files of an adapter folder, byte for byte.
package struct AdapterFiles: Sendable {
    /// The file that every layout has.
    package static let configName = "adapter_config.json"

    /// What a file holds. Tensors are views of an adapter's numbers, and are written from there.
    enum Content: Sendable {
        case bytes([UInt8])
        case tensors(SafetensorsWriter)
        case original(OriginalWeights)

        func write(to output: some ByteOutput, values: UnsafePointer<Float>) throws(GraftError) {
            switch self {
            case .bytes(let bytes): try output.write(bytes)
            case .tensors(let writer): try writer.write(to: output)
            case .original(let weights): try weights.write(to: output, values: values)
            }
        }

        /// Bytes that it holds beside the adapter's numbers.
        var residentByteCount: Int {
            switch self {
            case .bytes(let bytes): bytes.count
            case .tensors: 0
            case .original(let weights): weights.residentByteCount
            }
        }
    }

    private var files: [(name: String, content: Content)] = []
    /// What tensors are views of beside an adapter's numbers.
    private var owners: [Memory] = []

    /// A configuration as `json.dumps(value, indent=2, sort_keys=True)` writes it, but with
    /// patterns in their own order: the first that matches counts.
    static func configuration(_ settings: JSONObject, indent: Int? = 2) -> [UInt8] {
        JSON.object(settings).serializedBytes(
            JSON.Style(indent: indent, sortsKeys: true, unsorted: ["alpha_pattern", "rank_pattern"]))
    }

    mutating func add(_ bytes: [UInt8], as name: String) { files.append((name, .bytes(bytes))) }

    mutating func add(_ tensors: SafetensorsWriter, as name: String) { files.append((name, .tensors(tensors))) }

    mutating func add(_ weights: OriginalWeights, as name: String) { files.append((name, .original(weights))) }

    mutating func keep(_ memory: [Memory]) { owners += memory }

    /// Bytes that they hold beside the adapter's numbers.
    var residentByteCount: Int {
        files.reduce(0) { $0 + $1.content.residentByteCount } + owners.reduce(0) { $0 + $1.residentByteCount }
    }

    /// The files in memory.
    func bytes(values: UnsafePointer<Float>) throws(GraftError) -> [(name: String, bytes: [UInt8])] {
        var made: [(name: String, bytes: [UInt8])] = []
        for file in files {
            let output = BytesOutput()
            try file.content.write(to: output, values: values)
            made.append((file.name, output.bytes))
        }
        return made
    }

    /// Writes them into a folder, and leaves out of it other files of adapters that it may have
    /// held. `values` are the adapter's numbers.
    package func write(
        to folder: inout AtomicDirectory, values: UnsafePointer<Float>
    ) throws(GraftError) {
        for file in files {
            try folder.write(to: file.name) { output throws(GraftError) in
                try file.content.write(to: output, values: values)
            }
        }
        for name in AdapterLayouts.fileNames where !files.contains(where: { $0.name == name }) { folder.omit(name) }
    }
}

/// An adapter folder as it is read: its files, their bytes as they are, and their tensors.
package struct AdapterFolder {
    private let input: InputFolder
    private(set) var config = JSONObject()
    private(set) var files = AdapterFiles()
    private(set) var weights: [(name: String, file: SafetensorsFile)] = []
    /// Under the names that the layout has for them.
    private(set) var tensors: [(name: String, stored: StoredTensor)] = []
    private var index: [ExactString: Int] = [:]

    init(_ input: InputFolder) throws(GraftError) {
        self.input = input
        guard has(AdapterFiles.configName) else {
            throw input.missing("no \(AdapterFiles.configName)", wanted: .adapter)
        }
        config = try readObject(AdapterFiles.configName)
    }

    var path: String { input.path }

    var configPath: String { input.path(of: AdapterFiles.configName) }

    func has(_ name: String) -> Bool { input.has(name) }

    mutating func readObject(_ name: String) throws(GraftError) -> JSONObject {
        let bytes = try input.contents(of: name)
        guard let object = try JSON(file: bytes, path: input.path(of: name)).objectValue else {
            throw GraftError(.corruptFile, "\(input.path(of: name)): expected an object of settings")
        }
        files.add(bytes, as: name)
        return object
    }

    /// `pickle` is a file that may stand there instead, and `remedy` what to do then: reading a
    /// pickle runs code.
    @discardableResult
    mutating func readWeights(
        _ name: String, insteadOf pickle: String?, remedy: String
    ) throws(GraftError) -> SafetensorsFile {
        if !has(name), let pickle, has(pickle) {
            throw GraftError(
                .unsupported, "\(input.path(of: pickle)) is a Python pickle, which can run any code: \(remedy)")
        }
        guard has(name) else { throw input.missing("no \(name)", wanted: .adapter) }
        let file = try SafetensorsFile(try input.file(name))
        weights.append((name, file))
        for tensor in file.tensors {
            // The first of two files goes before the second.
            if index[ExactString(tensor.name)] == nil { index[ExactString(tensor.name)] = tensors.count }
            tensors.append((tensor.name, tensor))
        }
        return file
    }

    func tensor(_ name: String) -> StoredTensor? { index[ExactString(name)].map { tensors[$0].stored } }

    /// Gives tensors the names that the layout has for them.
    mutating func rename(_ canonical: (String) throws(GraftError) -> String) throws(GraftError) {
        var renamed = tensors
        var index: [ExactString: Int] = [:]
        for (place, tensor) in tensors.enumerated() {
            renamed[place].name = try canonical(tensor.name)
            if let other = index.updateValue(place, forKey: ExactString(renamed[place].name)) {
                throw GraftError(
                    .corruptFile,
                    "\(tensor.stored.file.path): tensors \"\(tensors[other].name)\" and \"\(tensor.name)\" are the same one's"
                )
            }
        }
        self.index = index
        tensors = renamed
    }
}

extension Adapter {
    /// Writes the folder in its method's layout; one that nothing changed, as it was read.
    package func save(to path: String) throws(GraftError) {
        try read { content, isAsLoaded throws(GraftError) in
            let files =
                if isAsLoaded, let original = content.original { original } else { try content.files() }
            try AtomicDirectory.write(to: path, keys: [AdapterFiles.configName]) { folder throws(GraftError) in
                try files.write(to: &folder, values: content.values)
            }
        }
    }

    /// The folder's files in memory.
    package func files() throws(GraftError) -> [(name: String, bytes: [UInt8])] {
        try read { content, isAsLoaded throws(GraftError) in
            let files =
                if isAsLoaded, let original = content.original { original } else { try content.files() }
            return try files.bytes(values: content.values)
        }
    }
}

extension AdapterContent {
    /// The folder's files as the layout's own package writes them, with views of the numbers. For a
    /// training that goes on, pruned ranks are there as well.
    package func files(withPruned: Bool = false) throws(GraftError) -> AdapterFiles {
        var joined: [Memory] = []
        var tensors: [SafetensorsWriter.Tensor] = []
        for tensor in plan.tensors {
            let (shape, numbers) = try tensor.saved(values, withPruned: withPruned)
            if let numbers { joined.append(numbers) }
            let start = numbers?.floats() ?? values + tensor.parameter.offset
            let bytes = UnsafeRawBufferPointer(start: start, count: 4 * shape.reduce(1, *))
            for name in tensor.names { tensors.append((name, .float32, shape, bytes)) }
        }
        for tensor in plan.made {
            let numbers = try tensor.make(from: values)
            let bytes = UnsafeRawBufferPointer(start: numbers.base, count: tensor.shape.reduce(4, *))
            tensors.append((tensor.name, .float32, tensor.shape, bytes))
            joined.append(numbers)
        }
        var files = try layout.files(
            tensors, noted: noted(withPruned: withPruned), metadata: TrainedLength.metadata(maximumLength))
        files.keep(joined)
        return files
    }

    /// Settings of the file that follow from the numbers.
    private func noted(withPruned: Bool) -> JSONObject {
        guard !plan.prunedRanks.isEmpty else { return JSONObject() }
        let patterns = plan.prunedRanks.map { (name: $0.name, kept: withPruned ? $0.places : $0.pattern(values)) }
        return method.noted(patterns.sorted { $0.name < $1.name })
    }
}
