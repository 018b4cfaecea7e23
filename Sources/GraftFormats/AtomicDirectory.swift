import Glibc
import GraftTensor

/// Writes a folder of files so that its name leads, at every instant, to the old folder or the new one, whole.
///
/// The files go to a hidden sibling, `.graft-unfinished-…`, which is exchanged with the old folder once they are on the
/// disk. What the old folder holds beyond the files written now moves over to the new one,
/// which has the old one's permissions and owner. What writers of the same folder that were killed have left goes then, too. Where the file system cannot
/// exchange two names, the name leads nowhere for an instant between two renames.
package struct AtomicDirectory: ~Copyable {
    /// Where the files are until all are written.
    private let temporary: String
    /// What messages call the folder: its final path.
    private let path: String
    /// The folder to replace, links followed.
    private let destination: String
    private var names: [String] = []
    /// Says that the writer lives; nil where the file system has no locks.
    private let lock: FolderLock?

    /// Stands in a folder until all its files are written.
    static let marker = ".unfinished"

    /// Makes the folder that is written first.
    private init(toBecome path: String, replacing destination: String) throws(GraftError) {
        self.destination = destination
        self.path = path
        let mode: mode_t = FileKind.of(destination) == .nothing ? 0o777 : 0o700
        while true {
            let temporary = FileSystem.temporarySibling(of: destination)
            guard mkdir(temporary, mode) == 0 else { throw FileSystem.failure("create", path) }
            let lock = FolderLock(temporary, waits: true)
            let descriptor = open(temporary + "/" + Self.marker, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            // Until it is locked it looks left, and another writer may have removed it.
            if descriptor < 0, errno == ENOENT { continue }
            if descriptor >= 0 { close(descriptor) }
            self.temporary = temporary
            self.lock = lock
            return
        }
    }

    /// Writes a folder with the files that `body` writes. A failure leaves everything as it was.
    package static func write(
        to path: String, _ body: (inout AtomicDirectory) throws(GraftError) -> Void
    ) throws(GraftError) {
        try write(to: path, exchange: FileSystem.exchange, body)
    }

    /// - Parameter exchange: exchanges two names in one step, or says false where that cannot be done.
    static func write(
        to path: String, exchange: (String, String) throws(GraftError) -> Bool,
        _ body: (inout AtomicDirectory) throws(GraftError) -> Void
    ) throws(GraftError) {
        let destination = try FileSystem.destination(of: path)
        guard FileKind.isPlainName(FileSystem.split(destination).name) else {
            throw GraftError(.invalidArgument, "\(path): cannot replace this folder")
        }
        try checkReplaceable(destination, path)
        var folder = try AtomicDirectory(toBecome: path, replacing: destination)
        do throws(GraftError) {
            try body(&folder)
            unlink(folder.temporary + "/" + marker)
            try FileSystem.synchronize(folder: folder.temporary)
            try folder.take(exchange)
        } catch {
            for name in folder.names + [marker] { unlink(folder.temporary + "/" + name) }
            rmdir(folder.temporary)
            throw error
        }
        try FileSystem.synchronize(folder: FileSystem.split(destination).folder)
        // What was asked for is done, whether or not something stays beside it.
        try? removeLeftovers(of: path, files: folder.names)
    }

    /// Removes what writers of the folder `path` that were killed left beside it: a folder that they had not finished, and
    /// `files` of one that they had replaced. What else was in that moves to the one that took its place.
    ///
    /// What a living writer is at work on stays, as does everything where the file system has no locks.
    package static func removeLeftovers(of path: String, files: [String]) throws(GraftError) {
        let destination = try FileSystem.destination(of: path)
        let (parent, name) = FileSystem.split(destination)
        let prefix = FileSystem.temporaryPrefix(of: name)
        for leftover in (try? FileSystem.names(in: parent)) ?? [] where leftover.hasPrefix(prefix) {
            let old = parent + "/" + leftover
            guard let lock = FolderLock(old, waits: false) else { continue }
            let names = (try? FileSystem.names(in: old)) ?? []
            let isUnfinished = names.contains(marker)
            for name in isUnfinished ? names : files { unlink(old + "/" + name) }
            if !isUnfinished { moveAll(from: old, to: destination) }
            rmdir(old)
            _ = consume lock
        }
    }

    package mutating func write(_ bytes: [UInt8], to name: String) throws(GraftError) {
        try write(to: name) { output throws(GraftError) in try output.write(bytes) }
    }

    package mutating func write(_ text: String, to name: String) throws(GraftError) {
        try write(Array(text.utf8), to: name)
    }

    /// Writes one file of the folder; each name once.
    package mutating func write(
        to name: String, _ body: (OutputFile) throws(GraftError) -> Void
    ) throws(GraftError) {
        guard FileKind.isPlainName(name) else {
            throw GraftError(.invalidArgument, "\(JSON.string(name).shortText) is no name of a file")
        }
        let output = try OutputFile(
            creating: temporary + "/" + name, toBecome: path + "/" + name, replacing: destination + "/" + name)
        names.append(name)
        try body(output)
        try output.finish()
    }

    /// Says that a file of the old folder is not one of the new folder's.
    package mutating func omit(_ name: String) { names.append(name) }

    private static func checkReplaceable(_ destination: String, _ path: String) throws(GraftError) {
        var status = stat()
        guard stat(destination, &status) == 0 else {
            guard lstat(destination, &status) != 0 else {
                throw GraftError(
                    .io, "\(path): expected a folder or a name that is free, found a link that leads nowhere")
            }
            return
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw GraftError(.io, "\(path): expected a folder, found \(FileKind.of(destination).rawValue)")
        }
        var current = stat()
        if stat(".", &current) == 0, current.st_dev == status.st_dev, current.st_ino == status.st_ino {
            throw GraftError(.invalidArgument, "\(path): cannot replace the process's current folder")
        }
    }

    /// Gives the folder its name.
    private func take(_ exchange: (String, String) throws(GraftError) -> Bool) throws(GraftError) {
        var status = stat()
        guard stat(destination, &status) == 0 else {
            return try FileSystem.rename(temporary, to: destination)
        }
        for name in names where FileKind.of(destination + "/" + name) == .folder {
            throw GraftError(.io, "\(path)/\(name): cannot write a file where a folder is")
        }
        // What was private stays private. Only the system's administrator may give folders away.
        _ = chown(temporary, status.st_uid, status.st_gid)
        guard chmod(temporary, status.st_mode & 0o7777) == 0 else { throw FileSystem.failure("write", path) }
        clear(try replace(exchange))
    }

    /// Puts the new folder in place of the old one, and returns where the old one is now.
    private func replace(
        _ exchange: (String, String) throws(GraftError) -> Bool
    ) throws(GraftError) -> String {
        if try exchange(temporary, destination) { return temporary }
        let old = FileSystem.temporarySibling(of: destination)
        try FileSystem.rename(destination, to: old)
        do throws(GraftError) {
            try FileSystem.rename(temporary, to: destination)
        } catch {
            try FileSystem.rename(old, to: destination)
            throw error
        }
        return old
    }

    /// Removes the files that were replaced and moves all else to the new folder. What cannot be moved stays where it is,
    /// in the hidden sibling: the new folder is whole already, and nothing is lost.
    private func clear(_ old: String) {
        for name in names { unlink(old + "/" + name) }
        Self.moveAll(from: old, to: destination)
        rmdir(old)
    }

    /// Moves what can be moved, but replaces nothing.
    private static func moveAll(from old: String, to destination: String) {
        for name in (try? FileSystem.names(in: old)) ?? [] where FileKind.of(destination + "/" + name) == .nothing {
            _ = Glibc.rename(old + "/" + name, destination + "/" + name)
        }
    }
}
