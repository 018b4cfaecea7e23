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
    let path: String
    private(set) var config = JSONObject()
    private(set) var files = AdapterFiles()
    /// Under the names that the layout has for them.
    private(set) var tensors: [(name: String, stored: StoredTensor)] = []
    private var index: [ExactString: Int] = [:]

    init(path: String) throws(GraftError) {
        self.path = path
        guard has(AdapterFiles.configName) else {
            throw FolderSurvey.error(path, missing: "no \(AdapterFiles.configName)", wanted: .adapter)
        }
        config = try readObject(AdapterFiles.configName)
    }

    var configPath: String { path + "/" + AdapterFiles.configName }

    func has(_ name: String) -> Bool { FileKind.of(path + "/" + name) != .nothing }

    mutating func readObject(_ name: String) throws(GraftError) -> JSONObject {
        let bytes = try MappedFile.contents(of: path + "/" + name)
        guard let object = try JSON(file: bytes, path: path + "/" + name).objectValue else {
            throw GraftError(.corruptFile, "\(path)/\(name): expected an object of settings")
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
                .unsupported, "\(path)/\(pickle) is a Python pickle, which can run any code: \(remedy)")
        }
        guard has(name) else { throw FolderSurvey.error(path, missing: "no \(name)", wanted: .adapter) }
        let file = try SafetensorsFile(path: path + "/" + name, copies: true)
        try Memory.require(file.file.bytes.count, to: "reading \(file.path)")
        files.add(Array(file.file.bytes), as: name)
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
    /// Writes the folder in its method's layout, whole or not at all; one that nothing changed, as it was read.
    package func save(to path: String) throws(GraftError) {
        let content = try usable()
        let files: AdapterFiles
        if isAsLoaded, let original = content.original {
            files = original
        } else {
            files = try content.files()
        }
        try AtomicDirectory.write(to: path) { folder throws(GraftError) in try files.write(to: &folder) }
    }
}

extension AdapterContent {
    /// The folder's files as the layout's own package writes them.
    package func files() throws(GraftError) -> AdapterFiles {
        try layout.files(
            plan.tensors.flatMap { tensor in
                ([tensor.name] + (tensor.secondName.map { [$0] } ?? [])).map { name in
                    (
                        name, .float32, tensor.shape,
                        UnsafeRawBufferPointer(
                            start: values + tensor.parameter.offset, count: tensor.parameter.count * 4)
                    )
                }
            })
    }
}
