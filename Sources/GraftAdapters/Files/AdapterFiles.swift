import GraftFormats
import GraftTensor

/// The files of an adapter folder, byte for byte.
package struct AdapterFiles: Sendable {
    /// The file that every layout has.
    package static let configName = "adapter_config.json"

    package private(set) var files: [(name: String, bytes: [UInt8])] = []

    package init() {}

    package subscript(name: String) -> [UInt8]? { files.first { $0.name == name }?.bytes }

    /// A configuration as `json.dumps(value, indent=2, sort_keys=True)` writes it, but with patterns in their own order:
    /// the first that matches counts.
    static func configuration(_ settings: JSONObject, indent: Int? = 2) -> [UInt8] {
        JSON.object(settings).serializedBytes(
            JSON.Style(indent: indent, sortsKeys: true, unsorted: ["alpha_pattern", "rank_pattern"]))
    }

    mutating func add(_ bytes: [UInt8], as name: String) { files.append((name, bytes)) }

    /// Writes them into a folder, and leaves out of it other files of adapters that it may have held.
    package func write(to folder: inout AtomicDirectory) throws(GraftError) {
        for file in files { try folder.write(file.bytes, to: file.name) }
        for name in AdapterLayouts.fileNames where self[name] == nil { folder.omit(name) }
    }
}

/// An adapter folder as it is read: its files, their bytes as they are, and their tensors.
package struct AdapterFolder {
    private let input: InputFolder
    private(set) var config = JSONObject()
    private(set) var files = AdapterFiles()
    private(set) var weights: [SafetensorsFile] = []

    init(_ input: InputFolder) throws(GraftError) {
        self.input = input
        config = try readObject(AdapterFiles.configName)
    }

    var path: String { input.path }

    var configPath: String { input.path(of: AdapterFiles.configName) }

    func has(_ name: String) -> Bool { input.has(name) }

    mutating func readObject(_ name: String) throws(GraftError) -> JSONObject {
        let bytes = try input.contents(of: name)
        guard let object = try JSON(parsing: bytes, source: input.path(of: name)).objectValue else {
            throw GraftError(.corruptFile, "\(input.path(of: name)): expected an object of settings")
        }
        files.add(bytes, as: name)
        return object
    }

    /// `pickle` is a file that may stand there instead, and `remedy` what to do then: reading a pickle runs code.
    @discardableResult
    mutating func readWeights(
        _ name: String, insteadOf pickle: String?, remedy: String
    ) throws(GraftError) -> SafetensorsFile {
        if !has(name), let pickle, has(pickle) {
            throw GraftError(
                .unsupported, "\(input.path(of: pickle)) is a Python pickle, which can run any code: \(remedy)")
        }
        let file = try SafetensorsFile(try input.file(name))
        try Memory.require(file.file.bytes.count, to: "reading \(file.path)")
        files.add(Array(file.file.bytes), as: name)
        weights.append(file)
        return file
    }

    func tensor(_ name: String) -> StoredTensor? {
        for file in weights {
            if let tensor = file[name] { return tensor }
        }
        return nil
    }
}

extension Adapter {
    /// Writes the folder, whole or not at all.
    package func save(to path: String) throws(GraftError) {
        let files = try files()
        try AtomicDirectory.write(to: path) { folder throws(GraftError) in try files.write(to: &folder) }
    }

    /// The folder's files in its method's layout; of an adapter that nothing changed, as they were read.
    package func files() throws(GraftError) -> AdapterFiles {
        let content = try usable()
        if isAsLoaded, let original = content.original { return original }
        return try content.files()
    }
}

extension AdapterContent {
    /// The folder's files as the layout's own package writes them.
    package func files() throws(GraftError) -> AdapterFiles {
        try layout.files(
            plan.tensors.map {
                (
                    $0.name, .float32, $0.shape,
                    UnsafeRawBufferPointer(start: values + $0.parameter.offset, count: $0.parameter.count * 4)
                )
            }, metadata: TrainedLength.metadata(maximumLength))
    }
}
