import Glibc

/// A regular file in memory, read-only, until the last reference to it goes: mapped, or a copy.
///
/// Pages of a mapped file are read when they are touched and belong to the system's cache: ten
/// processes share one copy. The file must not be shortened while it is mapped: the system would
/// end the process that touches the missing pages. A copy is what the file was, for files that are
/// replaced while programs run, such as adapters.
package final class MappedFile: Sendable {
    package let path: String
    private let isCopy: Bool
    /// What the bytes belong to, where that is not this object.
    private let memory: Memory?
    /// The whole file; empty for an empty file. Valid as long as this object, and Swift may release
    /// an object after its last use in a function: what uses the pointer belongs in `withBytes`,
    /// unless the object is stored elsewhere.
    package nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    package init(path: String, copies: Bool = false) throws(GraftError) {
        let (descriptor, size) = try Self.open(path)
        defer { close(descriptor) }
        self.path = path
        isCopy = copies
        memory = nil
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let start =
            copies
            ? mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)
            : mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let start, start != MAP_FAILED else { throw Self.failure("map", path, errno) }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
        guard copies else { return }
        let count = try Self.read(descriptor, into: UnsafeMutableRawBufferPointer(start: start, count: size), path)
        guard count == size else {
            throw GraftError(
                .corruptFile, "\(path): it was shortened while it was read, from \(size) to \(count) bytes")
        }
    }

    /// A copy of bytes that are a file's content; `path` is what messages call it.
    package init(copyOf source: UnsafeRawBufferPointer, path: String) throws(GraftError) {
        self.path = path
        isCopy = true
        memory = nil
        guard source.count > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let start = mmap(nil, source.count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let start, start != MAP_FAILED else { throw Self.failure("map", path, errno) }
        UnsafeMutableRawBufferPointer(start: start, count: source.count).copyMemory(from: source)
        bytes = UnsafeRawBufferPointer(start: start, count: source.count)
    }

    /// Bytes that a program has made, in the place of a file's; `path` is what messages call it.
    package init(_ memory: Memory, byteCount: Int, path: String) {
        self.path = path
        isCopy = true
        self.memory = memory
        bytes = UnsafeRawBufferPointer(start: memory.base, count: byteCount)
    }

    /// What has the bytes: memory of the process, or this file.
    package var owner: AnyObject { memory ?? self }

    /// Refuses a file that only stands in for the one that was looked for.
    package func refuseStandIn() throws(GraftError) {
        try withBytes { bytes throws(GraftError) in try StandIn.refuse(bytes, path: path) }
    }

    deinit {
        if memory == nil, let start = bytes.baseAddress {
            munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
        }
    }

    /// Calls `body` with the whole file, which stays mapped during the call.
    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(bytes)
    }

    /// Lets the system take back the pages that lie wholly within a range of offsets; they are read
    /// again when touched.
    package func adviseDontNeed(_ range: Range<Int>) {
        guard let base = bytes.baseAddress, !isCopy else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let range = range.clamped(to: 0..<bytes.count)
        let start = (range.lowerBound + page - 1) / page * page
        // The last page of the file is whole, whatever its size.
        let end = range.upperBound == bytes.count ? bytes.count : range.upperBound / page * page
        guard start < end else { return }
        madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, MADV_DONTNEED)
    }

    /// Reads a regular file into memory: for small files that may be replaced or shortened
    /// meanwhile.
    ///
    /// - Parameter limit: most bytes to read; a larger file is refused.
    package static func contents(of path: String, limit: Int = 256 << 20) throws(GraftError) -> [UInt8] {
        let (descriptor, size) = try open(path)
        defer { close(descriptor) }
        guard size <= limit else {
            throw GraftError(.unsupported, "\(path): expected at most \(limit) bytes, found \(size)")
        }
        try Memory.require(size, to: "reading \(path)")
        var failure: GraftError?
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            do throws(GraftError) {
                count = try read(descriptor, into: UnsafeMutableRawBufferPointer(buffer), path)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Fills `buffer` as far as the file goes; returns how far.
    private static func read(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, _ path: String
    ) throws(GraftError) -> Int {
        var count = 0
        while count < buffer.count {
            let got = Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            if got == 0 { break }
            if got < 0 {
                if errno == EINTR { continue }
                throw failure("read", path, errno)
            }
            count += got
        }
        return count
    }

    private static func open(_ path: String) throws(GraftError) -> (descriptor: Int32, size: Int) {
        guard !path.utf8.contains(0) else {
            throw GraftError(.invalidArgument, "a path must not hold a NUL character")
        }
        // Without O_NONBLOCK, opening a pipe would wait for a writer.
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("open", path, errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw failure("examine", path, code)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            let found = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "a device, pipe or socket"
            throw GraftError(.io, "\(path): expected a file, found \(found)")
        }
        return (descriptor, Int(status.st_size))
    }

    private static func failure(_ verb: String, _ path: String, _ code: Int32) -> GraftError {
        GraftError(systemCode: code, "\(path): cannot \(verb): \(String(cString: strerror(code)))")
    }
}
