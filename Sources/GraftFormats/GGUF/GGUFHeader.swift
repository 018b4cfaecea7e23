import GraftTensor

/// The head of a GGUF file: its metadata, and which tensors there are and where, with every number
/// checked before it is used.
///
/// A file is `GGUF`, a version, two counts, so many keys with their values, so many descriptions of
/// tensors, and from the next multiple of `general.alignment` on the tensors' bytes. All is
/// little-endian.
package struct GGUFHeader: Sendable {
    package struct Entry: Sendable, Equatable {
        package let name: String
        package let type: BlockType
        /// Sizes from the slowest to the fastest index, as in a checkpoint: the file has them the
        /// other way round.
        package let shape: [Int]
        /// Offsets in the file.
        package let range: Range<Int>
    }

    /// Most sizes in a shape, as in ggml.
    package static let maximumRank = 4
    private static let versions: ClosedRange<UInt32> = 2...3

    /// In the order of the file.
    package private(set) var metadata: [(key: String, value: GGUFValue)] = []
    /// Where each key with its value is in the file.
    private(set) var keyRanges: [Range<Int>] = []
    package private(set) var entries: [Entry] = []
    private var keyIndex: KeyIndex
    private var tensorIndex: KeyIndex
    /// Where the tensors' bytes begin.
    private(set) var dataStart = 0
    /// What messages call the file.
    package let source: String

    /// Whether a file begins as those do.
    package static func begins(_ file: UnsafeRawBufferPointer) -> Bool { file.starts(with: "GGUF".utf8) }

    /// Reads the head of a whole file.
    package init(_ file: UnsafeRawBufferPointer, source: String) throws(GraftError) {
        self.source = source
        guard Self.begins(file) else {
            throw GraftError(.corruptFile, "\(source): expected a GGUF file, which begins with \"GGUF\"")
        }
        var cursor = GGUFCursor(file, source: source, at: 4)
        let version = try cursor.number(UInt32.self, "the version")
        guard Self.versions.contains(version) else {
            let isSwapped = Self.versions.contains(version.byteSwapped)
            throw GraftError(
                .unsupported,
                "\(source): expected GGUF version 2 or 3, found "
                    + (isSwapped ? "a file for machines with the other order of bytes" : "\(version)"))
        }
        // A description has a name's length, a count of sizes, a type and an offset at least; a key
        // its length, and its value a type and a byte.
        let tensorCount = try cursor.count(ofAtLeast: 24, "tensors")
        let keyCount = try cursor.count(ofAtLeast: 13, "keys")
        try Memory.require((tensorCount + keyCount) * 128, to: "reading the header of \(source)")
        (keyIndex, tensorIndex) = (KeyIndex(capacity: keyCount), KeyIndex(capacity: tensorCount))
        for _ in 0..<keyCount { try readKey(&cursor) }
        var places: [UInt64] = []
        places.reserveCapacity(tensorCount)
        for _ in 0..<tensorCount { places.append(try readTensor(&cursor)) }
        try placeTensors(places, cursor)
    }

    /// The value of a key; nil without it.
    package subscript(key: String) -> GGUFValue? {
        keyIndex.position(of: key) { metadata[$0].key }.map { metadata[$0].value }
    }

    /// The tensor of that name, compared by bytes.
    package func entry(_ name: String) -> Entry? {
        tensorIndex.position(of: name) { entries[$0].name }.map { entries[$0] }
    }

    private mutating func readKey(_ cursor: inout GGUFCursor) throws(GraftError) {
        try Memory.check()
        let (position, start) = (metadata.count, cursor.position)
        let key = try cursor.text("key \(position)")
        let type = try cursor.type("the value of \(JSON.string(key).shortText)")
        let value = try cursor.value(type, "the value of \(JSON.string(key).shortText)")
        metadata.append((key, value))
        keyRanges.append(start..<cursor.position)
        guard keyIndex.insert(key, at: position, { metadata[$0].key }) else {
            throw cursor.error("the key \(JSON.string(key).shortText) is there twice")
        }
    }

    /// Appends a tensor whose bytes begin at 0, and returns where in the data they do.
    private mutating func readTensor(_ cursor: inout GGUFCursor) throws(GraftError) -> UInt64 {
        try Memory.check()
        let position = entries.count
        let name = try cursor.text("the name of tensor \(position)")
        func failure(_ code: GraftError.Code, _ message: String) -> GraftError {
            GraftError(code, "\(source): tensor \(JSON.string(name).shortText): \(message)")
        }
        let rank = try cursor.number(UInt32.self, "the count of sizes of tensor \(position)")
        guard rank <= Self.maximumRank else {
            throw failure(.corruptFile, "it has \(rank) sizes, and at most \(Self.maximumRank) are allowed")
        }
        var shape: [Int] = []
        for _ in 0..<rank {
            let size = try cursor.number(UInt64.self, "a size of tensor \(position)")
            guard let size = Int(exactly: size) else { throw failure(.corruptFile, "a size is \(size)") }
            shape.insert(size, at: 0)
        }
        let number = try cursor.number(UInt32.self, "the type of tensor \(position)")
        let offset = try cursor.number(UInt64.self, "the offset of tensor \(position)")
        guard let type = BlockType(rawValue: number) else {
            throw failure(.unsupported, "its type has the number \(number), which this build does not know")
        }
        guard let byteCount = type.byteCount(shape: shape) else {
            throw failure(
                .corruptFile,
                "\(type.name) \(shape) is no whole number of blocks of \(type.blockElements) a row, or beyond 2^63 bytes"
            )
        }
        entries.append(Entry(name: name, type: type, shape: shape, range: 0..<byteCount))
        guard tensorIndex.insert(name, at: position, { entries[$0].name }) else {
            throw failure(.corruptFile, "it is there twice")
        }
        return offset
    }

    /// Puts tensors where the file has them: within its data, each at a multiple of the alignment,
    /// and none in another.
    private mutating func placeTensors(_ places: [UInt64], _ cursor: GGUFCursor) throws(GraftError) {
        let alignment = try alignment()
        let (end, overflows) = cursor.position.addingReportingOverflow(alignment - 1)
        dataStart = overflows ? cursor.bytes.count : min(end / alignment * alignment, cursor.bytes.count)
        let dataCount = cursor.bytes.count - dataStart
        for (index, entry) in entries.enumerated() {
            let (place, byteCount) = (places[index], entry.range.count)
            guard place % UInt64(alignment) == 0 else {
                throw error(entry, "its offset \(place) is no multiple of the alignment, \(alignment)")
            }
            guard byteCount <= dataCount, place <= UInt64(dataCount - byteCount) else {
                throw error(
                    entry, "\(byteCount) bytes from offset \(place) on, and the file has \(dataCount) of data")
            }
            let start = dataStart + Int(place)
            entries[index] = Entry(
                name: entry.name, type: entry.type, shape: entry.shape, range: start..<start + byteCount)
        }
        try checkOverlaps()
    }

    private func checkOverlaps() throws(GraftError) {
        let order = entries.indices.sorted {
            (entries[$0].range.lowerBound, entries[$0].range.upperBound)
                < (entries[$1].range.lowerBound, entries[$1].range.upperBound)
        }
        for (first, second) in zip(order, order.dropFirst())
        where entries[first].range.upperBound > entries[second].range.lowerBound {
            throw error(
                entries[second], "its bytes overlap those of \(JSON.string(entries[first].name).shortText)")
        }
    }

    private func alignment() throws(GraftError) -> Int {
        let key = "general.alignment"
        guard let value = self[key] else { return 32 }
        guard case .integer(let alignment) = value, alignment > 0, alignment & (alignment - 1) == 0,
            alignment <= 1 << 30
        else {
            throw GraftError(.corruptFile, "\(source): \(key): expected a power of two, found \(value.kind)")
        }
        return alignment
    }

    private func error(_ entry: Entry, _ message: String) -> GraftError {
        GraftError(.corruptFile, "\(source): tensor \(JSON.string(entry.name).shortText): \(message)")
    }
}
