import Glibc
import GraftTensor

/// The names and bytes of all files of a folder.
struct FolderContents: Equatable {
    let names: [String]
    private let bytes: [[UInt8]]

    init(_ path: String) throws {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(path + "/*", 0, nil, &found) == 0, let paths = found.gl_pathv else {
            throw GraftError(.notFound, "\(path) has no files")
        }
        let files = UnsafeBufferPointer(start: paths, count: Int(found.gl_pathc)).compactMap { $0 }
            .map { String(cString: $0) }
        names = files.map { String($0.dropFirst(path.count + 1)) }
        bytes = try files.map { try MappedFile.contents(of: $0) }
    }
}
