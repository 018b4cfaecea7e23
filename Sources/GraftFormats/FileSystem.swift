import Glibc
import GraftTensor

/// The system calls behind atomic writes, with errors that name the path.
enum FileSystem {
    /// The error of the call that just failed.
    static func failure(_ verb: String, _ path: String, code: Int32 = errno) -> GraftError {
        GraftError(systemCode: code, "\(path): cannot \(verb): \(String(cString: strerror(code)))")
    }

    /// Where a path leads once links are followed, so that writing replaces what a link points to
    /// and not the link.
    static func destination(of path: String) throws(GraftError) -> String {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw GraftError(.invalidArgument, "expected a path, found \(JSON.string(path).shortText)")
        }
        guard let resolved = realpath(path, nil) else { return withoutTrailingSlashes(path) }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The folder that holds a path, and the last name of the path.
    static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.utf8.lastIndex(of: ascii("/")) else { return (".", path) }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        return (folder, String(path[path.utf8.index(after: slash)...]))
    }

    /// A name beside a path that nothing has: hidden, and short whatever the path's name.
    static func temporarySibling(of path: String) -> String {
        let (folder, name) = split(path)
        return (folder == "/" ? "" : folder) + "/" + temporaryPrefix(of: name)
            + String(UInt64.random(in: .min ... .max), radix: 36)
    }

    /// How the temporary siblings of files and folders called `name` begin.
    static func temporaryPrefix(of name: String) -> String {
        ".graft-unfinished-" + String(fnv1a(name.utf8), radix: 36) + "-"
    }

    /// Waits until a folder's names are on the disk.
    static func synchronize(folder: String) throws(GraftError) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", folder) }
        defer { close(descriptor) }
        // Some file systems cannot do this for folders, and say so with EINVAL.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure("write to", folder) }
    }

    static func rename(_ old: String, to new: String) throws(GraftError) {
        guard Glibc.rename(old, new) == 0 else { throw failure("replace", new) }
    }

    /// What became of an exchange of two names.
    enum Exchange {
        case done
        /// The file system exchanges no names in one step.
        case unsupported
        /// Names of this folder are not this process's to change.
        case forbidden
    }

    /// Exchanges two names in one step.
    static func exchange(_ first: String, _ second: String) throws(GraftError) -> Exchange {
        guard let call = renameat2 else { return .unsupported }
        if call(AT_FDCWD, first, AT_FDCWD, second, exchangeFlag) == 0 { return .done }
        switch errno {
        case EINVAL, ENOSYS, EOPNOTSUPP: return .unsupported
        case let code where forbids(code): return .forbidden
        default: throw failure("replace", second)
        }
    }

    /// Whether a call failed since the folder above is not to be written, or its entry is where
    /// another disk begins.
    static func forbids(_ code: Int32) -> Bool { [EACCES, EPERM, EROFS, EBUSY, EXDEV].contains(code) }

    /// Names in a folder but `.` and `..`, sorted.
    static func names(in folder: String) throws(GraftError) -> [String] {
        guard let stream = opendir(folder) else { throw failure("list", folder) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            try Memory.check()
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func withoutTrailingSlashes(_ path: String) -> String {
        var path = path
        while path.utf8.count > 1, path.utf8.last == ascii("/") { path.removeLast() }
        return path
    }

    /// `renameat2`, which the Glibc module does not show; nil where the C library lacks it.
    private static let renameat2 = dlsym(nil, "renameat2").map {
        unsafeBitCast(
            $0,
            to: (@convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32).self)
    }
    /// `RENAME_EXCHANGE` of <linux/fs.h>.
    private static let exchangeFlag: UInt32 = 2
}
