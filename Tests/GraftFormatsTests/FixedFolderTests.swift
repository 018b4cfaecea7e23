import Glibc
import GraftTensor
import Testing

@testable import GraftFormats

/// Folders whose name cannot be given to another: they get their files within, as Python packages
/// write them.
@Suite("Writes into folders that stay")
struct FixedFolderTests {
    private static let keys = ["config"]

    /// A folder with a configuration and two files, all of one number.
    private func write(_ number: Int, to path: String) throws(GraftError) {
        try AtomicDirectory.write(to: path, keys: Self.keys) { output throws(GraftError) in
            for name in ["config", "a", "b"] { try output.write("\(name) \(number)", to: name) }
            output.omit("gone")
        }
    }

    private func expect(_ number: Int, in path: String, besides others: [String] = []) throws {
        for name in ["config", "a", "b"] { #expect(try text(of: path + "/" + name) == "\(name) \(number)") }
        #expect(TestFolder.names(path).sorted() == (["a", "b", "config"] + others).sorted())
    }

    @Test("A mount point is written and written again, also through a link; what else is there stays")
    func mountPoint() throws {
        let disk = try TestDisk(options: "size=1m", isReadOnly: false)
        let folder = try TestFolder()
        try #require(symlink(disk.path, folder.path + "/link") == 0)
        try AtomicFile.write("mine", to: disk.path + "/notes")
        try AtomicFile.write("old", to: disk.path + "/gone")
        for (number, path) in [disk.path, disk.path + "/", folder.path + "/link"].enumerated() {
            try write(number, to: path)
            try expect(number, in: disk.path, besides: ["notes"])
        }
        #expect(try folder.names() == ["link"])
        // What a killed writer left goes.
        try AtomicFile.write("half", to: AtomicDirectory.temporary(within: disk.path))
        try write(3, to: disk.path)
        try expect(3, in: disk.path, besides: ["notes"])
    }

    @Test("A full mount point leaves the old state and nothing else")
    func fullDisk() throws {
        let disk = try TestDisk(options: "size=64k", isReadOnly: false)
        try write(1, to: disk.path)
        let error = try failure {
            try AtomicDirectory.write(to: disk.path, keys: Self.keys) { output throws(GraftError) in
                try output.write("config 2", to: "config")
                try output.write([UInt8](repeating: 7, count: 100_000), to: "a")
            }
        }
        #expect(error == GraftError(.io, "\(disk.path)/a: cannot write to: No space left on device"))
        try expect(1, in: disk.path)
    }

    @Test("A folder of one's own in a folder that is not to be written is written and written again")
    func parentOfOthers() throws {
        let folder = try TestFolder()
        let path = folder.path + "/own"
        try #require(mkdir(path, 0o755) == 0)
        try OrdinaryUser.run(owning: [folder.path, path]) {
            chmod(folder.path, 0o555)
            defer { chmod(folder.path, 0o755) }
            for number in 1...2 {
                try AtomicDirectory.checkWritable(path, files: ["config"])
                try write(number, to: path)
                try expect(number, in: path)
            }
            chmod(path, 0o555)
            defer { chmod(path, 0o755) }
            for work in [{ try write(3, to: path) }, { try AtomicDirectory.checkWritable(path, files: []) }] {
                #expect(try failure { try work() }.message.hasSuffix(": Permission denied"))
            }
            try expect(2, in: path)
        }
        #expect(try folder.names() == ["own"])
    }

    @Test("The process's current folder is written within")
    func currentFolder() throws {
        let name = "graft-test-\(UInt64.random(in: .min ... .max))"
        var before = stat()
        try #require(stat(".", &before) == 0)
        try AtomicDirectory.write(to: ".") { output throws(GraftError) in try output.write("x", to: name) }
        defer { unlink(name) }
        #expect(try text(of: name) == "x")
        var after = stat()
        #expect(stat(".", &after) == 0 && after.st_ino == before.st_ino)
        #expect(!TestFolder.names(".").contains { $0.hasPrefix(".graft-unfinished") })
    }

    @Test("Missing folders above are made; a failure removes them again")
    func missingParents() throws {
        let folder = try TestFolder()
        let reason = GraftError(.cancelled, "stop")
        #expect(throws: reason) {
            try AtomicDirectory.write(to: folder.path + "/a/b/c") { _ throws(GraftError) in throw reason }
        }
        #expect(try folder.names() == [])
        for (number, path) in ["/a/b/c", "/a/./d/", "/x/../e"].enumerated() {
            try AtomicDirectory.checkWritable(folder.path + path, files: ["config"])
            try write(number, to: folder.path + path)
        }
        #expect(try folder.names() == ["a", "e"])
        try expect(0, in: folder.path + "/a/b/c")
        try expect(1, in: folder.path + "/a/d")
        try expect(2, in: folder.path + "/e")
    }

    @Test("Whether a folder can be written is known before, and finding out leaves nothing")
    func checkWritable() throws {
        let folder = try TestFolder()
        _ = try folder.write("file", to: "file")
        try #require(mkdir(folder.path + "/x", 0o755) == 0)
        try #require(mkdir(folder.path + "/x/config", 0o755) == 0)
        for path in ["/file", "/file/x", "/x"] {
            #expect(throws: GraftError.self) {
                try AtomicDirectory.checkWritable(folder.path + path, files: ["config"])
            }
        }
        #expect(throws: GraftError.self) { try AtomicDirectory.checkWritable("/proc/graft/x", files: []) }
        let disk = try TestDisk(options: "size=64k", isReadOnly: true)
        for path in ["", "/x", "/x/y"] {
            let error = try failure { try AtomicDirectory.checkWritable(disk.path + path, files: []) }
            #expect(error.message.hasSuffix(": Read-only file system"), "\(error.message)")
        }
        #expect(try folder.names() == ["file", "x"])
        #expect(try folder.names(in: "x") == ["config"])
    }

    @Test("A single file that changes takes its place in one step: the configuration beside it stays")
    func oneFile() throws {
        let disk = try TestDisk(options: "size=1m", isReadOnly: false)
        func write(_ weights: String) throws {
            try AtomicDirectory.write(to: disk.path, keys: Self.keys) { output throws(GraftError) in
                try output.write("config", to: "config")
                try output.write(weights, to: "a")
            }
        }
        try write("one")
        var before = stat()
        try #require(stat(disk.path + "/config", &before) == 0)
        try write("two")
        var after = stat()
        #expect(stat(disk.path + "/config", &after) == 0 && after.st_ino == before.st_ino)
        #expect(try text(of: disk.path + "/a") == "two")
    }

    @Test("A writer killed at any moment leaves no configuration beside files that it was not written with")
    func killed() throws {
        let disk = try TestDisk(options: "size=4m", isReadOnly: false)
        try write(0, to: disk.path)
        let fork = try #require(Fork.call)
        for _ in 0..<20 {
            let child = fork()
            if child == 0 {
                for number in 1... { if (try? write(number, to: disk.path)) == nil { _exit(1) } }
            }
            try #require(child > 0)
            usleep(.random(in: 500...20_000))
            kill(child, SIGKILL)
            var status: Int32 = 0
            waitpid(child, &status, 0)
            #expect(status & 0x7F == SIGKILL, "the child ended by itself with \(status)")
            guard FileKind.of(disk.path + "/config") == .file else { continue }
            let numbers = try ["config", "a", "b"].map { try text(of: disk.path + "/" + $0).split(separator: " ")[1] }
            #expect(Set(numbers).count == 1, "\(numbers)")
        }
        try write(7, to: disk.path)
        try expect(7, in: disk.path)
    }
}
