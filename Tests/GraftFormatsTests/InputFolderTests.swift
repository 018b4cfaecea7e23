import GraftFormats
import GraftTensor
import Testing

@Suite("A folder to read from")
struct InputFolderTests {
    private let contents: [(name: String, bytes: [UInt8])] = [
        ("a.json", Array("{}".utf8)), ("empty", []), ("long", (0..<70_000).map { UInt8(truncatingIfNeeded: $0) }),
    ]

    /// Calls `body` with the files on the disk, and with the same in memory.
    private func eachKind(_ body: (InputFolder) throws -> Void) throws {
        let folder = try TestFolder()
        for file in contents { _ = try folder.write(file.bytes, to: file.name) }
        try body(InputFolder(path: folder.path))
        let files = InMemoryFiles(contents)
        defer { withExtendedLifetime(files) {} }
        try body(try files.folder())
    }

    @Test("The files are the same on the disk and in memory")
    func sameFiles() throws {
        try eachKind { folder in
            for (name, bytes) in contents {
                let file = try folder.file(name)
                #expect(folder.has(name))
                #expect(try folder.contents(of: name) == bytes)
                #expect(file.withBytes { Array($0) } == bytes)
                #expect(file.path == folder.path(of: name))
                #expect(folder.path(of: name) == "\(folder.path)/\(name)")
            }
        }
    }

    @Test("A file that is missing is not found, one that is too long is refused, both by name")
    func refused() throws {
        try eachKind { folder in
            #expect(!folder.has("other") && !folder.has("A.JSON"))
            for error in [
                #expect(throws: GraftError.self) { try folder.contents(of: "other") },
                #expect(throws: GraftError.self) { try folder.file("other") },
            ] {
                #expect(error?.code == .notFound)
                #expect(error?.message.hasPrefix(folder.path(of: "other")) == true, "\(error?.message ?? "")")
            }
            let error = #expect(throws: GraftError.self) { try folder.contents(of: "long", limit: 69_999) }
            #expect(error?.code == .unsupported)
            #expect(error?.message == "\(folder.path(of: "long")): expected at most 69999 bytes, found 70000")
        }
    }

    @Test("What is read stays when the caller's bytes go")
    func copies() throws {
        let files = InMemoryFiles(contents)
        let file = try files.folder().file("long")
        files.clear()
        #expect(file.withBytes { Array($0) } == contents[2].bytes)
    }

    @Test("Names in memory are those of files, each once", arguments: ["", ".", "..", "a/b", "/a", "a\0", "a.json"])
    func names(_ name: String) throws {
        let files = InMemoryFiles(contents + [(name, [1])])
        let error = #expect(throws: GraftError.self) { try files.folder() }
        #expect(error?.code == .invalidArgument)
    }

    @Test("Names that look the same and are other bytes are other files")
    func spellings() throws {
        let files = InMemoryFiles([("\u{E9}", [1]), ("e\u{301}", [2])])
        defer { withExtendedLifetime(files) {} }
        let folder = try files.folder()
        #expect(try folder.contents(of: "\u{E9}") == [1] && folder.contents(of: "e\u{301}") == [2])
    }
}

/// Bytes that a caller holds while a folder of them is read.
private final class InMemoryFiles {
    private let files: [(name: String, bytes: UnsafeMutableRawBufferPointer)]

    init(_ contents: [(name: String, bytes: [UInt8])]) {
        files = contents.map { name, bytes in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
            copy.copyBytes(from: bytes)
            return (name, copy)
        }
    }

    deinit { for file in files { file.bytes.deallocate() } }

    func clear() { for file in files { file.bytes.initializeMemory(as: UInt8.self, repeating: 0) } }

    func folder() throws(GraftError) -> InputFolder {
        try InputFolder(files.map { ($0.name, UnsafeRawBufferPointer($0.bytes)) }, path: "files")
    }
}
