import Glibc
import GraftFormats
import GraftTensor
import Testing

/// The repository's folder, and the golden files of these tests.
enum Repository {
    static let path = String(#filePath.prefix(upTo: #filePath.range(ofText: "/Tests/GraftFormatsTests/")))
    static let goldens = path + "/Tests/Goldens/formats/"
}

extension String {
    /// Where a text that must be there starts.
    func range(ofText text: String) -> String.Index {
        indices.first { self[$0...].hasPrefix(text) } ?? endIndex
    }
}

/// A folder for one test, removed with all it holds when the test ends.
final class TestFolder {
    let path: String

    init() throws {
        let template = try #require(strdup("/tmp/graft-formats-XXXXXX"))
        defer { free(template) }
        try #require(mkdtemp(template) != nil)
        path = String(cString: template)
    }

    deinit {
        Self.remove(path)
    }

    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let path = path + "/" + name
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
        return path
    }

    func write(_ text: String, to name: String) throws -> String {
        try write(Array(text.utf8), to: name)
    }

    /// Names in the folder, hidden ones too.
    func names(in folder: String = "") throws -> [String] {
        Self.names(path + "/" + folder).sorted()
    }

    static func names(_ folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    private static func remove(_ path: String) {
        if unlink(path) == 0 { return }
        for name in names(path) { remove(path + "/" + name) }
        rmdir(path)
    }
}

func bytes(of path: String) throws -> [UInt8] {
    try MappedFile.contents(of: path)
}

func text(of path: String) throws -> String {
    String(decoding: try bytes(of: path), as: UTF8.self)
}

/// The lines of a golden file, each split at its first space.
func pairs(inGolden name: String) throws -> [(String, String)] {
    try text(of: Repository.goldens + name).split(separator: "\n").map { line in
        let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }
}

/// What a call that must fail throws.
func failure<Result>(
    of body: () throws -> Result, _ location: SourceLocation = #_sourceLocation
) throws -> GraftError {
    try #require(throws: GraftError.self, sourceLocation: location) { _ = try body() }
}
