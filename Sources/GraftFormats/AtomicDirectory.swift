import Glibc
import GraftTensor

/// Writes a folder of files so that its name leads, at every instant, to the old folder or the new
/// one, whole.
///
/// The files go to a hidden sibling, `.graft-unfinished-…`, which is exchanged with the old folder
/// once they are on the disk. What the old folder holds beyond the files written now moves over to
/// the new one, which has the old one's permissions and owner. What writers of the same folder that
/// were killed have left goes then, too. Where the file system cannot exchange two names, the name
/// leads nowhere for an instant between two renames.
///
/// A folder whose name is not to be given to another (the root of a disk, one in a folder that is
/// not to be written, the process's current one) gets its files one by one:
/// AtomicDirectory+Within.swift. Folders that are missing above are made.
package struct AtomicDirectory: ~Copyable {
    let place: FolderPlace
    /// The hidden sibling; nil where files are written within the folder itself.
    private let sibling: String?
    /// Says that the writer lives; nil where the file system has no locks.
    private let lock: FolderLock?
    /// The files and where they are until all are written.
    private(set) var files: [(name: String, temporary: String)] = []
    /// Names of files that the new folder has not.
    private(set) var omitted: [String] = []

    /// Stands in a folder until all its files are written.
    static let marker = ".unfinished"

    /// For files within the folder.
    init(within place: FolderPlace) {
        self.place = place
        sibling = nil
        lock = FolderLock(place.destination, waits: true)
    }

    /// Makes the folder that is written first; nil where that is forbidden.
    private init?(beside place: FolderPlace) throws(GraftError) {
        let mode: mode_t = place.exists ? 0o700 : 0o777
        while true {
            let temporary = FileSystem.temporarySibling(of: place.destination)
            guard mkdir(temporary, mode) == 0 else {
                let code = errno
                if FileSystem.forbids(code), place.exists { return nil }
                throw FileSystem.failure("create", place.path, code: code)
            }
            let lock = FolderLock(temporary, waits: true)
            let descriptor = open(temporary + "/" + Self.marker, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            // Until it is locked it looks left, and another writer may have removed it.
            if descriptor < 0, errno == ENOENT { continue }
            if descriptor >= 0 { close(descriptor) }
            self.place = place
            sibling = temporary
            self.lock = lock
            return
        }
    }

    /// Writes a folder with the files that `body` writes. A failure leaves everything as it was.
    ///
    /// - Parameters:
    ///   - keys: the files that say what the others are, and are read first: the folder's
    ///     configuration before others.
    ///   - body: called again where only the end shows that the folder's name is not to be given to
    ///     another.
    package static func write(
        to path: String, keys: [String] = [], _ body: (inout AtomicDirectory) throws(GraftError) -> Void
    ) throws(GraftError) {
        try write(to: path, keys: keys, exchange: FileSystem.exchange, body)
    }

    /// - Parameter exchange: exchanges two names in one step.
    static func write(
        to path: String, keys: [String] = [],
        exchange: (String, String) throws(GraftError) -> FileSystem.Exchange,
        _ body: (inout AtomicDirectory) throws(GraftError) -> Void
    ) throws(GraftError) {
        let place = try FolderPlace(path)
        do throws(GraftError) {
            try place.makeParents()
            if !place.isFixed, try write(beside: place, exchange, body) { return }
            try write(within: place, keys: keys, body)
        } catch {
            place.removeParents()
            throw error
        }
    }

    /// Fails where a folder with files of these names could not be written to `path`. Leaves
    /// nothing behind.
    package static func checkWritable(_ path: String, files: [String]) throws(GraftError) {
        try FolderPlace(path).checkWritable(files)
    }

    /// Writes to a sibling that then takes the name; false, and nothing done, where that is
    /// forbidden.
    private static func write(
        beside place: FolderPlace, _ exchange: (String, String) throws(GraftError) -> FileSystem.Exchange,
        _ body: (inout AtomicDirectory) throws(GraftError) -> Void
    ) throws(GraftError) -> Bool {
        guard var folder = try AtomicDirectory(beside: place), let sibling = folder.sibling else { return false }
        do throws(GraftError) {
            try body(&folder)
            unlink(sibling + "/" + marker)
            for inner in folders(of: folder.names) { try FileSystem.synchronize(folder: sibling + "/" + inner) }
            try FileSystem.synchronize(folder: sibling)
            guard try folder.take(sibling, exchange) else {
                folder.discard()
                return false
            }
        } catch {
            folder.discard()
            throw error
        }
        try FileSystem.synchronize(folder: FileSystem.split(place.destination).folder)
        // What was asked for is done, whether or not something stays beside it.
        removeLeftovers(beside: place, files: folder.names)
        return true
    }

    /// Removes what was written.
    func discard() {
        for file in files { unlink(file.temporary) }
        guard let sibling else { return }
        unlink(sibling + "/" + Self.marker)
        for inner in Self.folders(of: names) { rmdir(sibling + "/" + inner) }
        rmdir(sibling)
    }

    /// Names of the files that were written and that were left out.
    private var names: [String] { files.map(\.name) + omitted }

    /// Removes what writers of the folder `path` that were killed left beside it: a folder that
    /// they had not finished, and `files` of one that they had replaced. What else was in that
    /// moves to the one that took its place.
    ///
    /// What a living writer is at work on stays, as does everything where the file system has no
    /// locks.
    package static func removeLeftovers(of path: String, files: [String]) throws(GraftError) {
        let place = try FolderPlace(path)
        removeLeftovers(beside: place, files: files)
        if let lock = FolderLock(place.destination, waits: false) {
            removeLeftovers(within: place.destination)
            _ = consume lock
        }
    }

    private static func removeLeftovers(beside place: FolderPlace, files: [String]) {
        let (parent, name) = FileSystem.split(place.destination)
        let prefix = FileSystem.temporaryPrefix(of: name)
        for leftover in (try? FileSystem.names(in: parent)) ?? [] where leftover.hasPrefix(prefix) {
            let old = parent + "/" + leftover
            guard let lock = FolderLock(old, waits: false) else { continue }
            let names = (try? FileSystem.names(in: old)) ?? []
            if names.contains(marker) {
                for name in names where unlink(old + "/" + name) != 0 {
                    let inner = (try? FileSystem.names(in: old + "/" + name)) ?? []
                    for file in inner { unlink(old + "/" + name + "/" + file) }
                    rmdir(old + "/" + name)
                }
                rmdir(old)
            } else {
                clear(old, of: files, to: place.destination)
            }
            _ = consume lock
        }
    }

    package mutating func write(_ bytes: [UInt8], to name: String) throws(GraftError) {
        try write(to: name) { output throws(GraftError) in try output.write(bytes) }
    }

    package mutating func write(_ text: String, to name: String) throws(GraftError) {
        try write(Array(text.utf8), to: name)
    }

    /// Writes one file of the folder, or of a folder in it ("1_Pooling/config.json"); each name
    /// once.
    package mutating func write(
        to name: String, _ body: (OutputFile) throws(GraftError) -> Void
    ) throws(GraftError) {
        let steps = name.split(separator: "/", omittingEmptySubsequences: false)
        guard steps.count <= 2, steps.allSatisfy({ FileKind.isPlainName(String($0)) }) else {
            throw GraftError(.invalidArgument, "\(JSON.string(name).shortText) is no name of a file")
        }
        if let sibling { try Self.makeFolders(of: [name], in: sibling) }
        let temporary = sibling.map { $0 + "/" + name } ?? Self.temporary(within: place.destination)
        let output = try OutputFile(
            creating: temporary, toBecome: place.path + "/" + name, replacing: place.destination + "/" + name)
        files.append((name, temporary))
        try body(output)
        try output.finish()
    }

    /// Says that a file of the old folder is not one of the new folder's.
    package mutating func omit(_ name: String) { omitted.append(name) }

    /// Gives the sibling the folder's name; false where that is forbidden.
    private func take(
        _ sibling: String, _ exchange: (String, String) throws(GraftError) -> FileSystem.Exchange
    ) throws(GraftError) -> Bool {
        var status = stat()
        guard stat(place.destination, &status) == 0 else {
            try FileSystem.rename(sibling, to: place.destination)
            return true
        }
        for name in names { try place.checkFree(name) }
        // What was private stays private. Only the system's administrator may give folders away.
        _ = chown(sibling, status.st_uid, status.st_gid)
        guard chmod(sibling, status.st_mode & 0o7777) == 0 else { throw FileSystem.failure("write", place.path) }
        guard let old = try replace(sibling, exchange) else { return false }
        Self.clear(old, of: names, to: place.destination)
        return true
    }

    /// Puts the new folder in place of the old one, and returns where the old one is now; nil where
    /// that is forbidden.
    private func replace(
        _ sibling: String, _ exchange: (String, String) throws(GraftError) -> FileSystem.Exchange
    ) throws(GraftError) -> String? {
        switch try exchange(sibling, place.destination) {
        case .done: return sibling
        case .forbidden: return nil
        case .unsupported: break
        }
        let old = FileSystem.temporarySibling(of: place.destination)
        guard Glibc.rename(place.destination, old) == 0 else {
            if FileSystem.forbids(errno) { return nil }
            throw FileSystem.failure("replace", place.destination)
        }
        do throws(GraftError) {
            try FileSystem.rename(sibling, to: place.destination)
        } catch {
            try FileSystem.rename(old, to: place.destination)
            throw error
        }
        return old
    }

    /// Folders in the folder that files of these names lie in.
    private static func folders(of names: [String]) -> Set<String> {
        Set(names.compactMap { name in name.firstIndex(of: "/").map { String(name[..<$0]) } })
    }

    /// Makes the folders that files of these names lie in.
    static func makeFolders(of names: [String], in parent: String) throws(GraftError) {
        for folder in folders(of: names) {
            guard mkdir(parent + "/" + folder, 0o777) == 0 || errno == EEXIST else {
                throw FileSystem.failure("create", parent + "/" + folder)
            }
        }
    }

    /// Removes the files that were replaced and moves all else to the new folder. What cannot be
    /// moved stays where it is, in the hidden sibling: the new folder is whole already, and nothing
    /// is lost.
    private static func clear(_ old: String, of names: [String], to destination: String) {
        for name in names { unlink(old + "/" + name) }
        for inner in folders(of: names) {
            moveAll(from: old + "/" + inner, to: destination + "/" + inner)
            rmdir(old + "/" + inner)
        }
        moveAll(from: old, to: destination)
        rmdir(old)
    }

    /// Moves what can be moved, but replaces nothing.
    private static func moveAll(from old: String, to destination: String) {
        for name in (try? FileSystem.names(in: old)) ?? [] where FileKind.of(destination + "/" + name) == .nothing {
            _ = Glibc.rename(old + "/" + name, destination + "/" + name)
        }
    }
}
