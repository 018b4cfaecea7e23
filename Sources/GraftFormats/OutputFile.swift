import Glibc
import GraftTensor

/// A new file that is being written; what is written is on the disk once `finish` returns.
package final class OutputFile: ByteOutput {
    /// What messages call the file: its final path.
    private let name: String
    private var descriptor: Int32

    /// Creates the file at `path`, which must not exist, to become `name` later. If `replaced`
    /// exists, its permissions and its owner are taken over before a byte is written: what was
    /// private stays private.
    init(creating path: String, toBecome name: String, replacing replaced: String) throws(GraftError) {
        self.name = name
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileSystem.failure("create", name) }
        var status = stat()
        if stat(replaced, &status) == 0 {
            // Only the system's administrator may give files away; for others the owner is the same
            // already.
            _ = fchown(descriptor, status.st_uid, status.st_gid)
            fchmod(descriptor, status.st_mode & 0o777)
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(GraftError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let written = Self.withoutSizeSignal { Glibc.write(descriptor, part.baseAddress, part.count) }
            if written < 0 {
                if errno == EINTR { continue }
                throw FileSystem.failure("write to", name)
            }
            rest = rest.dropFirst(written)
        }
    }

    /// Runs a system call that fails with EFBIG at the process's limit on the size of files,
    /// without the signal SIGXFSZ that comes with it, which would end the process.
    private static func withoutSizeSignal(_ call: () -> Int) -> Int {
        var (signal, before, pending) = (sigset_t(), sigset_t(), sigset_t())
        sigemptyset(&signal)
        sigaddset(&signal, SIGXFSZ)
        pthread_sigmask(SIG_BLOCK, &signal, &before)
        sigpending(&pending)
        let result = call()
        let code = errno
        if result < 0, code == EFBIG, sigismember(&pending, SIGXFSZ) == 0 {
            var now = timespec()
            sigtimedwait(&signal, nil, &now)
        }
        pthread_sigmask(SIG_SETMASK, &before, nil)
        errno = code
        return result
    }

    /// Waits until the bytes are on the disk, and closes the file. A full disk may only be noticed
    /// here.
    func finish() throws(GraftError) {
        guard fsync(descriptor) == 0 else { throw FileSystem.failure("write to", name) }
        let result = close(descriptor)
        descriptor = -1
        guard result == 0 else { throw FileSystem.failure("write to", name) }
    }
}
