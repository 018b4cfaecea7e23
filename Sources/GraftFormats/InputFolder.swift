import GraftTensor

/// A folder to read files from: on the disk, or files that a caller holds in memory, which must
/// stay as they are while it is read.
package struct InputFolder {
    /// A file in memory.
    package typealias File = (name: String, bytes: UnsafeRawBufferPointer)

    /// Before the names of its files in messages; on the disk, where it is.
    package let path: String
    /// nil on the disk.
    private let held: [ExactString: UnsafeRawBufferPointer]?

    package init(path: String) {
        self.path = path
        held = nil
    }

    /// - Parameter path: what messages call the folder.
    package init(_ files: [File], path: String) throws(GraftError) {
        self.path = path
        var held: [ExactString: UnsafeRawBufferPointer] = [:]
        for file in files {
            let name = JSON.string(file.name).shortText
            guard FileKind.isPlainName(file.name) else {
                throw GraftError(.invalidArgument, "\(path): \(name) is no name of a file")
            }
            guard held.updateValue(file.bytes, forKey: ExactString(file.name)) == nil else {
                throw GraftError(.invalidArgument, "\(path): the file \(name) is there twice")
            }
        }
        self.held = held
    }

    /// What messages call a file.
    package func path(of name: String) -> String { path + "/" + name }

    package func has(_ name: String) -> Bool {
        held.map { $0[ExactString(name)] != nil } ?? (FileKind.of(path(of: name)) != .nothing)
    }

    /// The files of a folder within, by name and sorted; none where it is not there, as in memory.
    package func names(in subfolder: String) throws(GraftError) -> [String] {
        guard held == nil, FileKind.of(path(of: subfolder)) == .folder else { return [] }
        return try FileSystem.names(in: path(of: subfolder))
    }

    /// A copy of a file's bytes.
    ///
    /// - Parameter limit: most bytes to read; a larger file is refused.
    package func contents(of name: String, limit: Int = 256 << 20) throws(GraftError) -> [UInt8] {
        guard let held else { return try MappedFile.contents(of: path(of: name), limit: limit) }
        let bytes = try find(name, in: held)
        guard bytes.count <= limit else {
            throw GraftError(.unsupported, "\(path(of: name)): expected at most \(limit) bytes, found \(bytes.count)")
        }
        try Memory.require(bytes.count, to: "reading \(path(of: name))")
        return Array(bytes)
    }

    /// The object that a JSON file holds; nil where there is no such file.
    package func optionalObject(_ name: String) throws(GraftError) -> JSONObject? {
        do throws(GraftError) {
            let bytes = try contents(of: name, limit: JSON.maximumFileSize)
            let path = path(of: name)
            return try JSON(file: bytes, path: path).requireObject(in: path)
        } catch  where error.code == .notFound {
            return nil
        }
    }

    /// A copy of a file.
    package func file(_ name: String) throws(GraftError) -> MappedFile {
        guard let held else { return try MappedFile(path: path(of: name), copies: true) }
        return try MappedFile(copyOf: try find(name, in: held), path: path(of: name))
    }

    /// The error of a folder in which `missing` was not found.
    package func missing(_ missing: String, wanted: FolderSurvey.Wanted) -> GraftError {
        guard let held else { return FolderSurvey.error(path, missing: missing, wanted: wanted) }
        return FolderSurvey.error(path, missing: missing, wanted: wanted, names: held.keys.map(\.text))
    }

    private func find(
        _ name: String, in held: [ExactString: UnsafeRawBufferPointer]
    ) throws(GraftError) -> UnsafeRawBufferPointer {
        guard let bytes = held[ExactString(name)] else {
            let names = held.keys.sorted().map { JSON.string($0.text).shortText }
            throw GraftError(
                .notFound,
                "\(path(of: name)): it is not among the files \(names.isEmpty ? "(there are none)" : names.joined(separator: ", "))"
            )
        }
        return bytes
    }
}
