import Glibc

/// The right to a folder, for as long as the value lives: the system takes it from a process that
/// ends, however it ends.
struct FolderLock: ~Copyable {
    private let descriptor: Int32

    /// nil where somebody else has it, where the folder is gone, or where the file system has no
    /// locks.
    init?(_ path: String, waits: Bool) {
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        var (locked, named) = (stat(), stat())
        // The folder may have gone while this waited.
        guard flock(descriptor, LOCK_EX | (waits ? 0 : LOCK_NB)) == 0, fstat(descriptor, &locked) == 0,
            lstat(path, &named) == 0, locked.st_dev == named.st_dev, locked.st_ino == named.st_ino
        else {
            close(descriptor)
            return nil
        }
    }

    deinit { close(descriptor) }
}
