import GraftTensor

/// The head of a safetensors file: what tensors there are and where, with every rule of the format
/// enforced.
///
/// A file is 8 bytes of header length, that many bytes of JSON, and the tensors' bytes without gap
/// or overlap: `{"__metadata__": {"format": "pt"}, "name": {"dtype": "F32", "shape": [2, 3],
/// "data_offsets": [0, 24]}, …}`.
package struct SafetensorsHeader: Sendable {
    package struct Entry: Sendable, Equatable {
        package let name: String
        package let elementType: ElementType
        package let shape: [Int]
        /// Offsets in the file.
        package let range: Range<Int>
    }

    /// Longest header that is read, as in the safetensors package.
    package static let maximumLength = 100_000_000
    /// Most sizes in a shape, as in numpy.
    package static let maximumRank = 64

    /// Tensors in the order of their bytes.
    package private(set) var entries: [Entry] = []
    /// What `__metadata__` holds, in the order written; nil without it, or where it is null.
    package private(set) var metadata: [(key: String, value: String)]?
    private var index = KeyIndex(capacity: 0)

    /// Reads the head of a whole file.
    ///
    /// - Parameter source: the file's path, for messages.
    package init(_ file: UnsafeRawBufferPointer, source: String) throws(GraftError) {
        guard file.count >= 8 else {
            throw GraftError(
                .corruptFile, "\(source): expected 8 bytes of header length, found a file of \(file.count) bytes")
        }
        let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
        guard length <= Self.maximumLength else {
            if let text = Self.text(in: file) {
                throw GraftError(
                    .corruptFile, "\(source): expected 8 bytes of header length, found the text \(text)")
            }
            throw GraftError(
                .corruptFile,
                "\(source): the header's length is \(length), and at most \(Self.maximumLength) is allowed")
        }
        let dataStart = 8 + Int(length)
        guard dataStart <= file.count else {
            throw GraftError(
                .corruptFile,
                "\(source): the header's length is \(length), but only \(file.count - 8) bytes follow: the file is cut")
        }
        guard length > 0, file[8] == ascii("{") else {
            throw GraftError(.corruptFile, "\(source): the header does not start with '{'")
        }
        let header = UnsafeRawBufferPointer(rebasing: file[8..<dataStart])
        try Memory.require(2 * header.count, to: "reading the header of \(source)")
        try read(header, source: source, dataStart: dataStart, dataCount: file.count - dataStart)
        try checkCoverage(source: source, dataStart: dataStart, fileCount: file.count)
    }

    /// How a file of text begins: a server's answer that was saved in place of the file.
    private static func text(in file: UnsafeRawBufferPointer) -> String? {
        let start = file.prefix(64)
        guard start.allSatisfy({ (0x20..<0x7F).contains($0) || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }) else {
            return nil
        }
        return JSON.string(String(decoding: start, as: UTF8.self)).briefText
    }

    /// The tensor of that name, compared by bytes.
    package subscript(name: String) -> Entry? {
        index.position(of: name) { entries[$0].name }.map { entries[$0] }
    }

    private mutating func read(
        _ header: UnsafeRawBufferPointer, source: String, dataStart: Int, dataCount: Int
    ) throws(GraftError) {
        var reader = JSONReader(header, source: source + " (header)")
        var hasMetadata = false
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if key == "__metadata__" {
                guard !hasMetadata else { throw reader.error("__metadata__ is there already") }
                hasMetadata = true
                if try reader.peekKind() == .null {
                    try reader.readNull()
                } else {
                    metadata = try readMetadata(&reader)
                }
            } else {
                let name = key.string
                var tensor = SafetensorsEntryReader(name: name, source: source)
                try tensor.read(&reader)
                entries.append(try tensor.entry(dataStart: dataStart, dataCount: dataCount))
            }
        }
        try reader.finish()
    }

    private func readMetadata(
        _ reader: inout JSONReader
    ) throws(GraftError) -> [(key: String, value: String)] {
        var pairs: [(key: String, value: String)] = []
        try reader.beginObject()
        while let key = try reader.nextKey()?.string {
            guard try reader.peekKind() == .string else {
                throw reader.unexpected("a string: __metadata__ holds nothing else")
            }
            pairs.append((key, try reader.readString()))
        }
        var keys = KeyIndex(capacity: pairs.count)
        for (position, pair) in pairs.enumerated() where !keys.insert(pair.key, at: position, { pairs[$0].key }) {
            throw reader.error("__metadata__ holds the key \(JSON.string(pair.key).shortText) twice")
        }
        return pairs
    }

    /// Sorts the tensors by their bytes, and checks that these fill the file from the header to the
    /// end, once.
    private mutating func checkCoverage(source: String, dataStart: Int, fileCount: Int) throws(GraftError) {
        entries.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        index = KeyIndex(capacity: entries.count)
        var end = dataStart
        for (position, entry) in entries.enumerated() {
            let name = JSON.string(entry.name).shortText
            guard index.insert(entry.name, at: position, { entries[$0].name }) else {
                throw GraftError(.corruptFile, "\(source): the tensor \(name) is there twice")
            }
            let start = entry.range.lowerBound
            guard start >= end else {
                throw GraftError(
                    .corruptFile,
                    "\(source): the bytes of the tensor \(name) start at \(start - dataStart) and overlap those before, "
                        + "which end at \(end - dataStart)")
            }
            guard start == end else {
                throw GraftError(
                    .corruptFile,
                    "\(source): \(start - end) bytes before the tensor \(name) belong to no tensor")
            }
            end = entry.range.upperBound
        }
        guard end == fileCount else {
            throw GraftError(
                .corruptFile, "\(source): \(fileCount - end) bytes at the end of the file belong to no tensor")
        }
    }
}

/// Reads one tensor's description and checks it by itself.
private struct SafetensorsEntryReader {
    let name: String
    let source: String
    private var elementType: ElementType?
    private var shape: [Int]?
    private var offsets: [Int]?

    init(name: String, source: String) {
        self.name = name
        self.source = source
    }

    mutating func read(_ reader: inout JSONReader) throws(GraftError) {
        try reader.beginObject()
        while let key = try reader.nextKey() {
            let isFirst: Bool
            switch key {
            case "dtype":
                isFirst = elementType == nil
                let text = try reader.readString()
                guard let type = ElementType(rawValue: text) else {
                    throw failure(.unsupported, "unknown dtype \(JSON.string(text).shortText)")
                }
                elementType = type
            case "shape":
                isFirst = shape == nil
                shape = try readSizes(&reader, "shape", limit: SafetensorsHeader.maximumRank)
            case "data_offsets":
                isFirst = offsets == nil
                offsets = try readSizes(&reader, "data_offsets", limit: 2)
            default:
                throw failure(.corruptFile, "unknown key \(JSON.string(key.string).shortText)")
            }
            guard isFirst else { throw failure(.corruptFile, "\(key.string) is there twice") }
        }
    }

    func entry(dataStart: Int, dataCount: Int) throws(GraftError) -> SafetensorsHeader.Entry {
        guard let elementType else { throw failure(.corruptFile, "dtype is missing") }
        guard let shape else { throw failure(.corruptFile, "shape is missing") }
        guard let offsets else { throw failure(.corruptFile, "data_offsets is missing") }
        guard offsets.count == 2 else {
            throw failure(.corruptFile, "data_offsets: expected 2 numbers, found \(offsets.count)")
        }
        let (start, end) = (offsets[0], offsets[1])
        guard start <= end else {
            throw failure(.corruptFile, "data_offsets: the end \(end) is before the start \(start)")
        }
        guard end <= dataCount else {
            throw failure(
                .corruptFile,
                "data_offsets: the end \(end) is beyond the \(dataCount) bytes of data that the file has")
        }
        guard let byteCount = elementType.byteCount(shape: shape) else {
            throw failure(.corruptFile, "\(elementType.rawValue) \(shape) is no whole number of bytes below 2^60")
        }
        guard byteCount == end - start else {
            throw failure(
                .corruptFile,
                "\(elementType.rawValue) \(shape) takes \(byteCount) bytes, but data_offsets hold \(end - start)")
        }
        return SafetensorsHeader.Entry(
            name: name, elementType: elementType, shape: shape, range: dataStart + start..<dataStart + end)
    }

    private func readSizes(
        _ reader: inout JSONReader, _ key: String, limit: Int
    ) throws(GraftError) -> [Int] {
        var sizes: [Int] = []
        try reader.beginArray()
        while try reader.nextElement() {
            guard sizes.count < limit else { throw failure(.corruptFile, "\(key): more than \(limit) numbers") }
            let size = try reader.readInt()
            guard size >= 0 else { throw failure(.corruptFile, "\(key): \(size) is negative") }
            sizes.append(size)
        }
        return sizes
    }

    private func failure(_ code: GraftError.Code, _ message: String) -> GraftError {
        GraftError(code, "\(source): tensor \(JSON.string(name).shortText): \(message)")
    }
}
