import Glibc
import GraftTensor

/// Files that are written within a folder whose name is not to be given to another: one by one,
/// each whole at every instant.
///
/// All are on the disk, under hidden names, before the first takes its name: a full disk leaves
/// everything as it was. Then a configuration never describes files that it was not written with:
/// where more than one file changes, the keys go first and come last. A process that is killed in
/// between leaves a folder without its keys, which nobody takes for what it was.
extension AtomicDirectory {
    /// A hidden name within a folder that nothing has.
    static func temporary(within folder: String) -> String { FileSystem.temporarySibling(of: folder + "/") }

    static func write(
        within place: FolderPlace, keys: [String], _ body: (inout AtomicDirectory) throws(GraftError) -> Void
    ) throws(GraftError) {
        var folder = AtomicDirectory(within: place)
        removeLeftovers(within: place.destination)
        do throws(GraftError) {
            try body(&folder)
            for file in folder.files { try place.checkFree(file.name) }
            try folder.place(keys: keys)
        } catch {
            folder.discard()
            throw error
        }
    }

    /// Removes what killed writers left. Only for who has the folder's lock.
    static func removeLeftovers(within folder: String) {
        let prefix = FileSystem.temporaryPrefix(of: "")
        for name in (try? FileSystem.names(in: folder)) ?? [] where name.hasPrefix(prefix) {
            unlink(folder + "/" + name)
        }
    }

    /// Gives the files their names.
    private func place(keys: [String]) throws(GraftError) {
        let destination = place.destination
        let changed = files.filter { !Self.areEqual($0.temporary, destination + "/" + $0.name) }
        let gone = omitted.filter { FileKind.of(destination + "/" + $0) != .nothing }
        let others = changed.filter { !keys.contains($0.name) }
        let isConfigurationKept = !changed.contains { $0.name == keys.first }
        // One file takes the place of its like in a single step. Later keys describe what they hold
        // themselves.
        let isOneStep =
            changed.count + gone.count <= 1 || (isConfigurationKept && others.count + gone.count <= 1)
        var last = changed.filter { keys.contains($0.name) }
        if !isOneStep {
            last = files.filter { keys.contains($0.name) }
            for key in keys { try remove(key) }
            try FileSystem.synchronize(folder: destination)
        }
        try Self.makeFolders(of: files.map(\.name), in: destination)
        for file in others { try FileSystem.rename(file.temporary, to: destination + "/" + file.name) }
        for name in gone { try remove(name) }
        try FileSystem.synchronize(folder: destination)
        for key in keys {
            for file in last where file.name == key {
                try FileSystem.rename(file.temporary, to: destination + "/" + file.name)
            }
        }
        try FileSystem.synchronize(folder: destination)
        discard()
    }

    private func remove(_ name: String) throws(GraftError) {
        guard unlink(place.destination + "/" + name) == 0 || errno == ENOENT else {
            throw FileSystem.failure("replace", place.path + "/" + name)
        }
    }

    /// Whether two files have the same bytes.
    private static func areEqual(_ first: String, _ second: String) -> Bool {
        guard let first = try? MappedFile(path: first), let second = try? MappedFile(path: second) else { return false }
        return first.withBytes { one in
            second.withBytes { other in
                guard one.count == other.count, let start = one.baseAddress, let otherStart = other.baseAddress else {
                    return one.count == other.count
                }
                return memcmp(start, otherStart, one.count) == 0
            }
        }
    }
}
