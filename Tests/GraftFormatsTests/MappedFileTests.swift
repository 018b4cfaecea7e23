import Glibc
import GraftFormats
import GraftTensor
import Testing

@Suite("Mapped files")
struct MappedFileTests {
    @Test("A file is mapped whole, and an empty one is empty")
    func contents() throws {
        let folder = try TestFolder()
        let long = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for content in [[], [1], long] {
            let path = try folder.write(content, to: "f")
            #expect(try MappedFile(path: path).withBytes { Array($0) } == content)
            #expect(try MappedFile.contents(of: path) == content)
        }
    }

    @Test("Pages that were released read the same again, for any range")
    func release() throws {
        let folder = try TestFolder()
        let content = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        let file = try MappedFile(path: try folder.write(content, to: "f"))
        for range in [0..<20_000, 1..<19_999, 5..<5, 4096..<8192, 19_999..<20_000, -5..<3, 10_000..<Int.max] {
            file.adviseDontNeed(range)
            #expect(file.withBytes { Array($0) } == content)
        }
    }

    @Test("A copy stays what the file was when that is shortened, also where its pages were released")
    func copy() throws {
        let folder = try TestFolder()
        let content = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        let path = try folder.write(content, to: "f")
        let file = try MappedFile(path: path, copies: true)
        #expect(truncate(path, 0) == 0)
        file.adviseDontNeed(0..<20_000)
        #expect(file.withBytes { Array($0) } == content)
    }

    @Test("The mapping survives the file's removal and replacement")
    func removal() throws {
        let folder = try TestFolder()
        let path = try folder.write("old", to: "f")
        let file = try MappedFile(path: path)
        unlink(path)
        _ = try folder.write("new", to: "f")
        #expect(file.withBytes { Array($0) } == Array("old".utf8))
    }

    @Test("A file beyond the limit is refused before memory is taken for it")
    func limit() throws {
        let folder = try TestFolder()
        let path = try folder.write("x", to: "f")
        try #require(truncate(path, 1 << 40) == 0)
        let error = try failure(of: { try MappedFile.contents(of: path) })
        #expect(error == GraftError(.unsupported, "\(path): expected at most 268435456 bytes, found 1099511627776"))
        #expect(try failure(of: { try JSON(contentsOf: path) }).code == .unsupported)
        #expect(try MappedFile.contents(of: try folder.write("abc", to: "g"), limit: 3).count == 3)
    }

    @Test("Folders, devices, pipes and missing files are refused, and nothing waits for a pipe")
    func refused() throws {
        let folder = try TestFolder()
        #expect(mkfifo(folder.path + "/pipe", 0o600) == 0)
        let cases: [(String, GraftError.Code, String)] = [
            (folder.path, .io, "expected a file, found a folder"),
            (folder.path + "/pipe", .io, "expected a file, found a device, pipe or socket"),
            ("/dev/zero", .io, "expected a file, found a device, pipe or socket"),
            (folder.path + "/absent", .notFound, "cannot open: No such file or directory"),
            ("/etc/hostname/x", .notFound, "cannot open: Not a directory"),
            ("", .notFound, "cannot open: No such file or directory"),
        ]
        for (path, code, message) in cases {
            #expect(try failure(of: { try MappedFile(path: path) }) == GraftError(code, "\(path): \(message)"))
            #expect(try failure(of: { try MappedFile.contents(of: path) }) == GraftError(code, "\(path): \(message)"))
        }
        #expect(try failure(of: { try MappedFile(path: "/tmp/a\0b") }).code == .invalidArgument)
    }
}
