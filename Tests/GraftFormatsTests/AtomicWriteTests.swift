import Glibc
@testable import GraftFormats
import GraftTensor
import Synchronization
import Testing

@Suite("Atomic writes")
struct AtomicWriteTests {
    @Test("A file is made, and replaced")
    func file() throws {
        let folder = try TestFolder()
        let path = folder.path + "/f"
        for content in ["first", "", "second, longer"] {
            try AtomicFile.write(content, to: path)
            #expect(try text(of: path) == content)
        }
        #expect(try folder.names() == ["f"])
    }

    @Test("A folder is made, and replaced whole")
    func folder() throws {
        let folder = try TestFolder()
        let path = folder.path + "/adapter"
        for number in 1...3 {
            // A slash at the end means the same folder.
            try AtomicDirectory.write(to: path + (number == 2 ? "/" : "")) { output throws(GraftError) in
                try output.write("a\(number)", to: "a")
                try output.write("b\(number)", to: "b")
            }
            #expect(try text(of: path + "/a") == "a\(number)")
            #expect(try text(of: path + "/b") == "b\(number)")
        }
        #expect(try folder.names() == ["adapter"])
        #expect(try folder.names(in: "adapter") == ["a", "b"])
    }

    @Test("What else is in a folder stays in it")
    func otherFiles() throws {
        let folder = try TestFolder()
        try #require(mkdir(folder.path + "/x", 0o755) == 0)
        try #require(mkdir(folder.path + "/x/sub", 0o755) == 0)
        _ = try folder.write("mine", to: "x/README.md")
        _ = try folder.write("deep", to: "x/sub/file")
        _ = try folder.write("old", to: "x/a")
        try AtomicDirectory.write(to: folder.path + "/x") { output throws(GraftError) in
            try output.write("new", to: "a")
        }
        #expect(try folder.names(in: "x") == ["README.md", "a", "sub"])
        #expect(try text(of: folder.path + "/x/README.md") == "mine")
        #expect(try text(of: folder.path + "/x/sub/file") == "deep")
        #expect(try text(of: folder.path + "/x/a") == "new")
        #expect(try folder.names() == ["x"])
    }

    @Test("Where names cannot be exchanged, a folder is replaced all the same, and put back when that fails")
    func withoutExchange() throws {
        let folder = try TestFolder()
        let path = folder.path + "/x"
        for content in ["old", "new"] {
            try AtomicDirectory.write(to: path, exchange: { _, _ in .unsupported }) { output throws(GraftError) in
                try output.write(content, to: "a")
                if content == "old" { try output.write("stays", to: "b") }
            }
        }
        #expect(try text(of: path + "/a") == "new")
        #expect(try text(of: path + "/b") == "stays")
        let removed: (String, String) throws(GraftError) -> FileSystem.Exchange = {
            temporary, _ throws(GraftError) in
            unlink(temporary + "/a")
            rmdir(temporary)
            return .unsupported
        }
        let error = try failure {
            try AtomicDirectory.write(to: path, exchange: removed) { output throws(GraftError) in
                try output.write("lost", to: "a")
            }
        }
        #expect(error == GraftError(.notFound, "\(path): cannot replace: No such file or directory"))
        #expect(try text(of: path + "/a") == "new")
        #expect(try folder.names() == ["x"])
    }

    @Test("A link is followed: what it leads to is replaced")
    func links() throws {
        let folder = try TestFolder()
        try #require(mkdir(folder.path + "/real", 0o755) == 0)
        try #require(symlink("real", folder.path + "/link") == 0)
        try AtomicDirectory.write(to: folder.path + "/link") { output throws(GraftError) in
            try output.write("x", to: "a")
        }
        try AtomicFile.write("y", to: folder.path + "/link/b")
        #expect(try folder.names(in: "real") == ["a", "b"])
        var status = stat()
        #expect(lstat(folder.path + "/link", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
        #expect(try folder.names() == ["link", "real"])
    }

    @Test("A failure inside leaves the old state and no temporary file")
    func failureInside() throws {
        let folder = try TestFolder()
        let reason = GraftError(.cancelled, "stop")
        try AtomicFile.write("old", to: folder.path + "/f")
        #expect(throws: reason) {
            try AtomicFile.write(to: folder.path + "/f") { output throws(GraftError) in
                try output.write("half")
                throw reason
            }
        }
        for name in ["old", "new"] {
            if name == "old" {
                try AtomicDirectory.write(to: folder.path + "/old") { output throws(GraftError) in
                    try output.write("old", to: "a")
                }
            }
            #expect(throws: reason) {
                try AtomicDirectory.write(to: folder.path + "/" + name) { output throws(GraftError) in
                    try output.write("half", to: "a")
                    throw reason
                }
            }
        }
        #expect(try text(of: folder.path + "/f") == "old")
        #expect(try text(of: folder.path + "/old/a") == "old")
        #expect(try folder.names() == ["f", "old"])
    }

    @Test("Permissions outlive the replacement: what was private stays private")
    func permissions() throws {
        let folder = try TestFolder()
        func mode(_ name: String) -> UInt32 {
            var status = stat()
            return stat(folder.path + "/" + name, &status) == 0 ? status.st_mode & 0o777 : 0
        }
        _ = try folder.write("secret", to: "f")
        chmod(folder.path + "/f", 0o600)
        try AtomicFile.write("new", to: folder.path + "/f")
        #expect(mode("f") == 0o600)
        try #require(mkdir(folder.path + "/d", 0o700) == 0)
        _ = try folder.write("secret", to: "d/a")
        chmod(folder.path + "/d/a", 0o640)
        try AtomicDirectory.write(to: folder.path + "/d") { output throws(GraftError) in
            try output.write("new", to: "a")
            try output.write("new", to: "b")
        }
        #expect(mode("d") == 0o700)
        #expect(mode("d/a") == 0o640)
        #expect(mode("d/b") == 0o666 & ~currentMask())
    }

    /// What the system takes from the permissions of new files.
    private func currentMask() -> UInt32 {
        let mask = umask(0o022)
        umask(mask)
        return mask
    }

    @Test("A file may lie in a folder of the folder, whose other files stay")
    func inner() throws {
        let folder = try TestFolder()
        for text in ["one", "two"] {
            try AtomicDirectory.write(to: folder.path + "/x") { output throws(GraftError) in
                try output.write(text, to: "inner/file")
                try output.write(text, to: "file")
            }
            for name in ["inner/file", "file"] {
                #expect(try MappedFile.contents(of: folder.path + "/x/" + name) == Array(text.utf8))
            }
            try AtomicFile.write("kept", to: folder.path + "/x/inner/other")
        }
        #expect(try MappedFile.contents(of: folder.path + "/x/inner/other") == Array("kept".utf8))
        #expect(try FileSystem.names(in: folder.path) == ["x"])
        let error = try failure {
            try AtomicDirectory.write(to: folder.path + "/y") { output throws(GraftError) in
                try output.write("one", to: "inner/file")
                throw GraftError(.io, "no")
            }
        }
        #expect(error.code == .io)
        #expect(try FileSystem.names(in: folder.path) == ["x"])
    }

    @Test("Names that would leave the folder, or that stand for a folder, are refused")
    func names() throws {
        let folder = try TestFolder()
        try #require(mkdir(folder.path + "/x", 0o755) == 0)
        try #require(mkdir(folder.path + "/x/sub", 0o755) == 0)
        for name in ["../y", "/tmp/y", "", ".", "..", "a/b/c", "a/", "a/..", "a\0b"] {
            let error = try failure {
                try AtomicDirectory.write(to: folder.path + "/x") { output throws(GraftError) in
                    try output.write("x", to: name)
                }
            }
            #expect(error.code == .invalidArgument)
        }
        let error = try failure {
            try AtomicDirectory.write(to: folder.path + "/x") { output throws(GraftError) in
                try output.write("x", to: "sub")
            }
        }
        #expect(error.message == "\(folder.path)/x/sub: cannot write a file where a folder is")
        #expect(try folder.names(in: "x") == ["sub"])
        for path in ["", "a\0b"] {
            #expect(try failure { try AtomicDirectory.write(to: path) { _ in } }.code == .invalidArgument, "\(path)")
        }
        #expect(try folder.names() == ["x"])
    }

    @Test("What stands in the way is named, and left alone")
    func obstacles() throws {
        let folder = try TestFolder()
        _ = try folder.write("file", to: "file")
        try #require(mkdir(folder.path + "/folder", 0o755) == 0)
        try #require(mkfifo(folder.path + "/pipe", 0o600) == 0)
        func fileError(_ name: String) throws -> GraftError {
            try failure { try AtomicFile.write("x", to: folder.path + "/" + name) }
        }
        func folderError(_ name: String) throws -> GraftError {
            try failure {
                try AtomicDirectory.write(to: folder.path + "/" + name) { output throws(GraftError) in
                    try output.write("x", to: "a")
                }
            }
        }
        #expect(
            try fileError("folder")
                == GraftError(.io, "\(folder.path)/folder: cannot write a file where a folder is"))
        #expect(
            try fileError("pipe")
                == GraftError(.io, "\(folder.path)/pipe: cannot write a file where a device, pipe or socket is"))
        #expect(
            try fileError("absent/x")
                == GraftError(.notFound, "\(folder.path)/absent/x: cannot create: No such file or directory"))
        #expect(
            try fileError("file/x")
                == GraftError(.notFound, "\(folder.path)/file/x: cannot create: Not a directory"))
        #expect(
            try folderError("file") == GraftError(.io, "\(folder.path)/file: expected a folder, found a file"))
        #expect(
            try folderError("file/x") == GraftError(.notFound, "\(folder.path)/file/x: cannot reach: Not a directory"))
        #expect(try folder.names() == ["file", "folder", "pipe"])
        #expect(try text(of: folder.path + "/file") == "file")
    }

    @Test("A folder that does not let itself be written is an error that names the path")
    func readOnly() throws {
        let folder = try TestFolder()
        let path = folder.path + "/d"
        try #require(mkdir(path, 0o755) == 0)
        try OrdinaryUser.run(owning: [folder.path, path]) {
            // Nothing but the mode of the folder itself is in the way.
            try AtomicFile.write("x", to: path + "/f")
            chmod(path, 0o555)
            defer { chmod(path, 0o755) }
            for name in ["f", "g"] {
                #expect(
                    try failure { try AtomicFile.write("y", to: "\(path)/\(name)") }
                        == GraftError(.io, "\(path)/\(name): cannot create: Permission denied"))
            }
            let error = try failure { try AtomicDirectory.write(to: path + "/new") { _ in } }
            #expect(error == GraftError(.io, "\(path)/new: cannot create: Permission denied"))
        }
        #expect(try folder.names(in: "d") == ["f"])
        #expect(try text(of: path + "/f") == "x")
    }

    @Test("The kernel's own folders, which refuse even the administrator, are an error that names the path")
    func kernelFolder() throws {
        let error = try failure { try AtomicFile.write("x", to: "/proc/graft") }
        #expect(error.message.hasPrefix("/proc/graft: cannot create: "), "\(error.message)")
        let folderError = try failure { try AtomicDirectory.write(to: "/proc/graft") { _ in } }
        #expect(folderError.message.hasPrefix("/proc/graft: cannot create: "), "\(folderError.message)")
    }

    @Test(
        "A disk mounted read-only is an error that names the path",
        .enabled(if: TestDisk.isPermitted, "needs the right to mount"))
    func readOnlyDisk() throws {
        let disk = try TestDisk(options: "size=64k", isReadOnly: true)
        #expect(
            try failure { try AtomicFile.write("x", to: disk.path + "/f") }
                == GraftError(.io, "\(disk.path)/f: cannot create: Read-only file system"))
        let error = try failure { try AtomicDirectory.write(to: disk.path + "/d") { _ in } }
        #expect(error == GraftError(.io, "\(disk.path)/d: cannot create: Read-only file system"))
    }

    @Test(
        "A full disk leaves the old state and nothing else",
        .enabled(if: TestDisk.isPermitted, "needs the right to mount"))
    func fullDisk() throws {
        let disk = try TestDisk(options: "size=64k", isReadOnly: false)
        let large = [UInt8](repeating: 7, count: 100_000)
        try AtomicFile.write("old", to: disk.path + "/f")
        try AtomicDirectory.write(to: disk.path + "/d") { output throws(GraftError) in try output.write("old", to: "a")
        }
        #expect(
            try failure { try AtomicFile.write(large, to: disk.path + "/f") }
                == GraftError(.io, "\(disk.path)/f: cannot write to: No space left on device"))
        let error = try failure {
            try AtomicDirectory.write(to: disk.path + "/d") { output throws(GraftError) in
                try output.write("new", to: "a")
                try output.write(large, to: "b")
            }
        }
        #expect(error == GraftError(.io, "\(disk.path)/d/b: cannot write to: No space left on device"))
        #expect(TestFolder.names(disk.path).sorted() == ["d", "f"])
        #expect(try text(of: disk.path + "/f") == "old")
        #expect(try text(of: disk.path + "/d/a") == "old")
    }

    @Test("A writer killed at any moment leaves the old folder or the new one, whole")
    func killed() throws {
        let folder = try TestFolder()
        let path = folder.path + "/checkpoint"
        func write(_ number: Int) throws(GraftError) {
            try AtomicDirectory.write(to: path) { output throws(GraftError) in
                for name in ["a", "b", "c"] {
                    try output.write([UInt8](repeating: UInt8(number), count: 10_000), to: name)
                }
            }
        }
        try write(0)
        let fork = try #require(Fork.call)
        var latest = UInt8(0)
        for round in 0..<20 {
            let child = fork()
            if child == 0 {
                for number in 0... { if (try? write(1 + number % 255)) == nil { _exit(1) } }
            }
            try #require(child > 0)
            // However slow the machine is, one child at least is killed after it has written
            // something.
            for _ in 0..<100_000 where try round == 0 && bytes(of: path + "/c")[0] == 0 { usleep(500) }
            usleep(.random(in: 500...20_000))
            kill(child, SIGKILL)
            var status: Int32 = 0
            waitpid(child, &status, 0)
            #expect(status & 0x7F == SIGKILL, "the child ended by itself with \(status)")
            let contents = try ["a", "b", "c"].map { try bytes(of: path + "/" + $0) }
            let number = try #require(contents[0].first)
            #expect(contents.allSatisfy { $0 == [UInt8](repeating: number, count: 10_000) })
            latest = number
        }
        #expect(latest > 0)
        _ = try folder.write("other", to: ".hidden")
        try AtomicDirectory.removeLeftovers(of: path, files: ["a", "b", "c"])
        #expect(try folder.names() == [".hidden", "checkpoint"])
    }

    @Test("What a killed writer left goes, but not other files of the folder, nor what writers of other folders left")
    func leftovers() throws {
        let folder = try TestFolder()
        let path = folder.path + "/checkpoint"
        try AtomicDirectory.write(to: path) { output throws(GraftError) in try output.write("new", to: "a") }
        for (number, name) in ["checkpoint", "checkpoint", "another"].enumerated() {
            let old = folder.path + "/" + FileSystem.temporaryPrefix(of: name) + "\(number)"
            #expect(mkdir(old, 0o700) == 0)
            for file in ["a", "notes \(number)"] { try AtomicFile.write("old", to: old + "/" + file) }
        }
        try AtomicDirectory.removeLeftovers(of: path, files: ["a"])
        #expect(try folder.names() == [FileSystem.temporaryPrefix(of: "another") + "2", "checkpoint"])
        #expect(try FileSystem.names(in: path) == ["a", "notes 0", "notes 1"])
        #expect(try bytes(of: path + "/a") == Array("new".utf8))
    }

    @Test("A write removes what killed writers left, finished or not, but nothing that a living one is at work on")
    func leftoversOfWriters() throws {
        let folder = try TestFolder()
        let path = folder.path + "/adapter"
        let prefix = folder.path + "/" + FileSystem.temporaryPrefix(of: "adapter")
        for (name, files) in [("unfinished", ["a", "half", AtomicDirectory.marker]), ("replaced", ["a", "notes"])] {
            #expect(mkdir(prefix + name, 0o700) == 0)
            for file in files { try AtomicFile.write("old", to: prefix + name + "/" + file) }
        }
        try AtomicDirectory.write(to: path) { outer throws(GraftError) in
            try outer.write("outer", to: "a")
            // Another writer, that comes to its end meanwhile.
            try AtomicDirectory.write(to: path) { output throws(GraftError) in try output.write("inner", to: "a") }
            try outer.write("outer", to: "b")
        }
        #expect(try folder.names() == ["adapter"])
        #expect(try FileSystem.names(in: path) == ["a", "b", "notes"])
        #expect(try text(of: path + "/a") == "outer")
    }

    @Test("While a folder is replaced a hundred times, its name always leads to a folder")
    func reader() async throws {
        let folder = try TestFolder()
        let path = folder.path + "/d"
        let isFinished = Flag()
        try AtomicDirectory.write(to: path) { output throws(GraftError) in try output.write("0", to: "a") }
        let misses = try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask {
                defer { isFinished.value.store(true, ordering: .relaxed) }
                for number in 1...100 {
                    try AtomicDirectory.write(to: path) { output throws(GraftError) in
                        try output.write("\(number)", to: "a")
                    }
                }
                return 0
            }
            group.addTask {
                var misses = 0
                while !isFinished.value.load(ordering: .relaxed) {
                    misses += FileKind.of(path) == .folder ? 0 : 1
                }
                return misses
            }
            return try await group.reduce(0, +)
        }
        #expect(misses == 0)
        #expect(try text(of: path + "/a") == "100")
    }
}

private final class Flag: Sendable {
    let value = Atomic(false)
}

/// The system's `fork`, which Swift hides because a child of a process with threads must not do
/// much. The children of these tests only write files, in code that ran before.
enum Fork {
    static let call = dlsym(nil, "fork").map { unsafeBitCast($0, to: (@convention(c) () -> pid_t).self) }
}

/// Work on files with the rights of a user who is not the administrator, for whom modes of folders
/// mean nothing.
enum OrdinaryUser {
    private static let nobody: uid_t = 65534
    /// Changes the user of one thread, where `seteuid` changes that of all.
    private static let change = dlsym(nil, "setfsuid").map {
        unsafeBitCast($0, to: (@convention(c) (uid_t) -> Int32).self)
    }

    /// Runs `work`, which must not leave its thread, as this user; for an administrator, as nobody
    /// with these paths its own.
    static func run(owning paths: [String], _ work: () throws -> Void) throws {
        guard geteuid() == 0 else { return try work() }
        for path in paths { try #require(chown(path, nobody, gid_t.max) == 0) }
        let change = try #require(change)
        _ = change(nobody)
        defer { _ = change(0) }
        try work()
    }
}

/// A small disk of its own, in memory.
final class TestDisk {
    let path: String
    private let folder: TestFolder

    /// Whether this process may mount: tried out, not guessed.
    static let isPermitted = (try? TestDisk(options: "size=64k", isReadOnly: false)) != nil

    init(options: String, isReadOnly: Bool) throws {
        folder = try TestFolder()
        path = folder.path
        let result = mount("tmpfs", path, "tmpfs", isReadOnly ? UInt(MS_RDONLY) : 0, options)
        guard result == 0 else { throw GraftError(.io, "mount: \(errno)") }
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
    }
}
