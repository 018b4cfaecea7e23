import GraftFormats
import GraftTensor

/// Which two tokens merge, into which, and how early: an open-addressing table keyed by both ids.
struct MergeTable: Sendable {
    /// A merge's place in the list and the token it makes.
    struct Merge: BitwiseCopyable, Sendable {
        var rank: UInt32
        var result: Int32
    }

    private struct Slot: BitwiseCopyable, Sendable {
        /// Both ids; all ones for an empty slot, which no pair of ids is.
        var key: UInt64 = .max
        var merge = Merge(rank: .max, result: -1)
    }
    private var slots = [Slot](repeating: Slot(), count: 1024)
    private var mask = 1023
    private var shift: UInt64 = 54
    private(set) var count = 0

    init(count: Int = 0) {
        var bits = 10
        while 1 << bits < min(count, 1 << 26) * 3 / 2 { bits += 1 }
        resize(bits)
    }

    /// Adds a merge. Of two of the same pair the later counts.
    mutating func add(_ left: Int32, _ right: Int32, _ merge: Merge) {
        let key = Self.key(left, right)
        var slot = index(key)
        while slots[slot].key != .max {
            if slots[slot].key == key {
                slots[slot].merge = merge
                return
            }
            slot = (slot + 1) & mask
        }
        slots[slot] = Slot(key: key, merge: merge)
        count += 1
        if count * 3 > slots.count * 2 { grow() }
    }

    /// The merge of two tokens that stand side by side; rank `.max` for none.
    @inline(__always)
    func merge(_ left: Int32, _ right: Int32) -> Merge {
        let key = Self.key(left, right)
        return slots.withUnsafeBufferPointer { slots in
            var slot = index(key)
            while slots[slot].key != .max {
                if slots[slot].key == key { return slots[slot].merge }
                slot = (slot + 1) & mask
            }
            return Merge(rank: .max, result: -1)
        }
    }

    @inline(__always)
    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    /// The high bits of a product (Fibonacci hashing).
    @inline(__always)
    private func index(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: ((key ^ (key >> 29)) &* 0x9E37_79B9_7F4A_7C15) >> shift)
    }

    private mutating func resize(_ bits: Int) {
        slots = Array(repeating: Slot(), count: 1 << bits)
        mask = slots.count - 1
        shift = UInt64(64 - bits)
    }

    private mutating func grow() {
        let old = slots
        resize(slots.count.trailingZeroBitCount + 1)
        for filled in old where filled.key != .max {
            var slot = index(filled.key)
            while slots[slot].key != .max { slot = (slot + 1) & mask }
            slots[slot] = filled
        }
    }
}

extension MergeTable {
    /// Reads `merges`, the earliest first.
    ///
    /// - Parameter prefix: what begins tokens that continue a word; the second of a pair loses it
    ///   in the result.
    init(
        _ bytes: UnsafeRawBufferPointer, vocabulary: Vocabulary, prefix: [UInt8], source: String
    ) throws(GraftError) {
        // A merge takes some 40 bytes in the files there are.
        self.init(count: bytes.count / 40)
        var table = self
        // Where in the vocabulary the next merge's result is likely to stand.
        var expected = 0
        try Self.forEach(in: bytes, source: source) { (left, right, rank) throws(GraftError) in
            try table.add(left, right, rank, vocabulary, prefix, &expected, source)
        }
        self = table
    }

    /// Calls `body` with the two tokens and the place of each of `["a b", …]` or `[["a", "b"], …]`.
    static func forEach(
        in bytes: UnsafeRawBufferPointer, source: String,
        _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>, UInt32) throws(GraftError) -> Void
    ) throws(GraftError) {
        var reader = JSONReader(bytes, source: "\(source): model.merges")
        var rank: UInt32 = 0
        try reader.beginArray()
        while try reader.nextElement() {
            if try reader.peekKind() == .string {
                let isMerge = try reader.readText().withUTF8 { (text) throws(GraftError) in
                    guard let (left, right) = try pair(text.bindMemory(to: UInt8.self), rank, source) else {
                        return false
                    }
                    try body(left, right, rank)
                    return true
                }
                if !isMerge { continue }
            } else {
                try reader.beginArray()
                let left = try reader.nextElement() ? try reader.readText() : nil
                let right = left == nil ? nil : try reader.nextElement() ? try reader.readText() : nil
                guard let left, let right else { throw reader.error("expected merges of two tokens") }
                if try reader.nextElement() { throw reader.error("expected merges of two tokens") }
                try left.withUTF8 { (left) throws(GraftError) in
                    try right.withUTF8 { (right) throws(GraftError) in
                        try body(left.bindMemory(to: UInt8.self), right.bindMemory(to: UInt8.self), rank)
                    }
                }
            }
            rank &+= 1
        }
        try reader.finish()
    }

    /// The tokens of a merge that is written with a space between; nil of the line that says which
    /// version it is.
    private static func pair(
        _ text: UnsafeBufferPointer<UInt8>, _ rank: UInt32, _ source: String
    ) throws(GraftError) -> (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>)? {
        let space = UInt8(ascii: " ")
        if text.starts(with: "#version".utf8) { return nil }
        guard let middle = text.firstIndex(of: space), !text[(middle + 1)...].contains(space) else {
            throw GraftError(
                .corruptFile,
                "\(source): merge \(rank) is \"\(Self.text(text))\": expected two tokens with a space between")
        }
        return (
            UnsafeBufferPointer(rebasing: text[..<middle]), UnsafeBufferPointer(rebasing: text[(middle + 1)...])
        )
    }

    /// Adds a merge written as two tokens with a space between; false for the line that says which
    /// version it is.
    mutating func add(
        pair text: UnsafeBufferPointer<UInt8>, _ rank: UInt32, _ vocabulary: Vocabulary, _ prefix: [UInt8],
        _ expected: inout Int, _ source: String
    ) throws(GraftError) -> Bool {
        guard let (left, right) = try Self.pair(text, rank, source) else { return false }
        try add(left, right, rank, vocabulary, prefix, &expected, source)
        return true
    }

    private mutating func add(
        _ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>, _ rank: UInt32,
        _ vocabulary: Vocabulary, _ prefix: [UInt8], _ expected: inout Int, _ source: String
    ) throws(GraftError) {
        let leftHash = ByteHash.of(left)
        let rest = UnsafeBufferPointer(rebasing: right.dropFirst(prefix.count))
        let result = rest.baseAddress.flatMap {
            vocabulary.position(
                prefix: left, $0, length: rest.count, hash: ByteHash.of(rest, after: leftHash), expected: expected)
        }
        guard let leftID = vocabulary.id(of: left, hash: leftHash), let rightID = vocabulary.id(of: right), let result
        else {
            throw GraftError(
                .corruptFile,
                "\(source): merge \(rank) is of \"\(Self.text(left))\" and \"\(Self.text(right))\": expected both and "
                    + "what they make in the vocabulary")
        }
        expected = result + 1
        add(leftID, rightID, Merge(rank: rank, result: vocabulary.id(at: result)))
    }

    private static func text(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        String(decoding: bytes.prefix(40), as: UTF8.self)
    }
}
