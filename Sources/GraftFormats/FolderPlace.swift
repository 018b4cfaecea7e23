import Glibc
import GraftTensor

/// Where a folder is to be written: links followed, and of a path that leads nowhere yet, which
/// folders are missing.
struct FolderPlace {
    /// What messages call the folder.
    let path: String
    /// The folder itself: absolute, without links.
    let destination: String
    /// Folders above it that are missing, from the outermost.
    private let missing: [String]

    var exists: Bool { FileKind.of(destination) != .nothing }

    init(_ path: String) throws(GraftError) {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw GraftError(.invalidArgument, "expected a path, found \(JSON.string(path).shortText)")
        }
        self.path = path
        var present = path.utf8.first == ascii("/") ? "/" : "."
        var absent: [Substring] = []
        for step in path.split(separator: "/") where step != "." {
            if absent.isEmpty, try Self.exists(present + "/" + step, path) {
                present += "/" + step
            } else if step == ".." {
                _ = absent.popLast()
            } else {
                absent.append(step)
            }
        }
        guard let resolved = realpath(present, nil) else { throw FileSystem.failure("reach", path) }
        defer { free(resolved) }
        var place = String(cString: resolved)
        guard FileKind.of(place) == .folder else {
            throw GraftError(
                .io,
                "\(path): expected a folder\(absent.isEmpty ? "" : " above it"), found \(FileKind.of(place).rawValue)")
        }
        var above: [String] = []
        for step in absent {
            if place == "/" { place = "" }
            place += "/" + step
            above.append(place)
        }
        destination = place
        missing = above.dropLast()
    }

    private static func exists(_ step: String, _ path: String) throws(GraftError) -> Bool {
        var status = stat()
        if stat(step, &status) == 0 { return true }
        guard errno == ENOENT else { throw FileSystem.failure("reach", path) }
        guard lstat(step, &status) != 0 else {
            throw GraftError(
                .io, "\(path): expected a folder or a name that is free, found a link that leads nowhere")
        }
        return false
    }

    /// Makes the missing folders above.
    func makeParents() throws(GraftError) {
        for folder in missing {
            // Another writer may have made it meanwhile.
            guard mkdir(folder, 0o777) == 0 || errno == EEXIST else { throw FileSystem.failure("create", path) }
            try FileSystem.synchronize(folder: FileSystem.split(folder).folder)
        }
    }

    /// Removes the folders that `makeParents` made, those that hold nothing.
    func removeParents() {
        for folder in missing.reversed() { rmdir(folder) }
    }

    /// Whether the folder's name is not to be given to another folder: the process is in it, or
    /// another disk begins there.
    var isFixed: Bool {
        var (own, above, current) = (stat(), stat(), stat())
        guard stat(destination, &own) == 0 else { return false }
        if stat(".", &current) == 0, current.st_dev == own.st_dev, current.st_ino == own.st_ino { return true }
        let parent = FileSystem.split(destination).folder
        return destination == "/" || (stat(parent, &above) == 0 && above.st_dev != own.st_dev)
    }

    /// Fails where a folder with files of these names could not be written. Leaves nothing behind.
    func checkWritable(_ names: [String]) throws(GraftError) {
        guard exists else {
            let folder = missing.first ?? destination
            let trial = FileSystem.temporarySibling(of: folder)
            guard mkdir(trial, 0o700) == 0 else { throw FileSystem.failure("create", path) }
            rmdir(trial)
            return
        }
        for name in names { try checkFree(name) }
        let isReadOnly = access(destination, W_OK) != 0 && errno == EROFS
        let beside = FileSystem.temporarySibling(of: destination)
        if !isFixed, !isReadOnly, mkdir(beside, 0o700) == 0 {
            rmdir(beside)
            return
        }
        let within = AtomicDirectory.temporary(within: destination)
        let descriptor = open(within, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileSystem.failure("write to", path) }
        close(descriptor)
        unlink(within)
    }

    /// Fails where a folder has the name of a file that is to be written.
    func checkFree(_ name: String) throws(GraftError) {
        if FileKind.of(destination + "/" + name) == .folder {
            throw GraftError(.io, "\(path)/\(name): cannot write a file where a folder is")
        }
    }
}
