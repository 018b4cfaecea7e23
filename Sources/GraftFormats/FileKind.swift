import Glibc

/// What a path leads to, following links.
package enum FileKind: String, Sendable {
    case nothing
    case file = "a file"
    case folder = "a folder"
    case other = "a device, pipe or socket"

    package static func of(_ path: String) -> FileKind {
        var status = stat()
        guard !path.utf8.contains(0), stat(path, &status) == 0 else { return .nothing }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        default: return .other
        }
    }

    /// Whether a name from a file can only mean something in the folder it is looked up in.
    package static func isPlainName(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && !name.utf8.contains(ascii("/")) && !name.utf8.contains(0)
    }
}
