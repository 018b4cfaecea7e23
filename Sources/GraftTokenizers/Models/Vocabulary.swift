import CGraftKernels
import Glibc
import GraftTensor

/// The tokens of a model and their ids: all bytes end to end, found through one open-addressing
/// table.
///
/// Built once, then read by any number of threads.
struct Vocabulary: Sendable {
    /// Ids beyond this are taken for damage rather than memory reserved for them.
    static let maximumID = 1 << 24

    private var bytes: [UInt8] = []
    /// In the order of the file.
    private var entries: [Entry] = []
    /// Position by id; -1 for an id that no token has.
    private var positions: [Int32] = []
    private var slots: [Slot]
    private var mask: Int
    /// Bytes of the longest token.
    private(set) var longest = 0

    /// Where a token's bytes are, and its id: what a lookup reads lies together.
    private struct Entry: BitwiseCopyable, Sendable {
        var start: UInt32
        var length: UInt32
        var id: Int32
    }

    /// Half of a token's hash, and the token's position; -1 for an empty slot.
    private struct Slot: BitwiseCopyable, Sendable {
        var tag: UInt32 = 0
        var position: Int32 = -1
    }

    /// - Parameter count: how many tokens to make room for; more may come.
    init(count: Int = 0) {
        let size = Self.tableSize(count)
        slots = Array(repeating: Slot(), count: size)
        mask = size - 1
        entries.reserveCapacity(count)
    }

    private static func tableSize(_ count: Int) -> Int {
        var size = 1024
        while size < min(count, maximumID) * 3 / 2 { size *= 2 }
        return size
    }

    /// Makes room for so many times the tokens that there are.
    mutating func reserve(times factor: Int) {
        let count = min(factor, Self.maximumID) * entries.count
        entries.reserveCapacity(count)
        positions.reserveCapacity(count)
        bytes.reserveCapacity(min(factor, Self.maximumID) * bytes.count)
        if case let size = Self.tableSize(count), size > slots.count { growTable(to: size) }
    }

    /// How many tokens there are.
    var count: Int { entries.count }

    /// The largest id, or -1.
    var largestID: Int { positions.count - 1 }

    /// Adds a token. Of two with the same bytes the later id counts, as in a Python dictionary.
    ///
    /// - Parameters:
    ///   - isListed: whether tokens come in the order of their ids, in a list, where the former id
    ///     goes on reading the token.
    ///   - hash: what `expect` said of it.
    mutating func add(
        _ token: UnsafeBufferPointer<UInt8>, id: Int, isListed: Bool = false, hash: UInt64? = nil
    ) throws(GraftError) {
        guard id >= 0, id <= Self.maximumID else {
            throw GraftError(
                .corruptFile,
                "the token \(Self.quoted(token)) has the id \(id): expected 0 to \(Self.maximumID)")
        }
        try Memory.check()
        if id >= positions.capacity { try Memory.require(8 * id, to: "a vocabulary with the id \(id)") }
        while positions.count <= id { positions.append(-1) }
        let hash = hash ?? ByteHash.finished(ByteHash.of(token))
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot].position >= 0 {
            if slots[slot].tag == Self.tag(hash), self.token(at: Int(slots[slot].position), equals: token) {
                if isListed { break }
                let position = Int(slots[slot].position)
                let former = Int(entries[position].id)
                if positions[former] == slots[slot].position { positions[former] = -1 }
                entries[position].id = Int32(id)
                positions[id] = slots[slot].position
                return
            }
            slot = (slot + 1) & mask
        }
        guard bytes.count + token.count < Int(UInt32.max) else {
            throw GraftError(.corruptFile, "the vocabulary has more than 4 GB of text")
        }
        slots[slot] = Slot(tag: Self.tag(hash), position: Int32(entries.count))
        positions[id] = Int32(entries.count)
        entries.append(Entry(start: UInt32(bytes.count), length: UInt32(token.count), id: Int32(id)))
        bytes.append(contentsOf: token)
        longest = max(longest, token.count)
        if entries.count * 3 > slots.count * 2 { growTable(to: slots.count * 2) }
    }

    /// The hash of a token that is about to be added. Its slot comes from memory meanwhile, which
    /// takes as long as reading what stands beside it in a file.
    func expect(_ token: UnsafeBufferPointer<UInt8>) -> UInt64 {
        let hash = ByteHash.of(token)
        expect(hash: hash)
        return ByteHash.finished(hash)
    }

    /// Says that the token with this hash, not yet finished, is looked for soon.
    @inline(__always)
    func expect(hash: UInt64) {
        slots.withUnsafeBufferPointer { slots in
            gk_prefetch(slots.baseAddress.map { $0 + (Int(truncatingIfNeeded: ByteHash.finished(hash)) & mask) })
        }
    }

    /// The id of a token.
    func id(of token: UnsafeBufferPointer<UInt8>) -> Int32? {
        id(of: token, hash: ByteHash.of(token))
    }

    /// The same, where the token's hash, not yet finished, is known.
    func id(of token: UnsafeBufferPointer<UInt8>, hash: UInt64) -> Int32? {
        id(finishedHash: ByteHash.finished(hash)) { self.token(at: $0, equals: token) }
    }

    func id(of token: String) -> Int32? {
        var token = token
        return token.withUTF8 { id(of: $0) }
    }

    /// The id of the token that is `prefix` and then `length` bytes; `hash` is of all of them, not
    /// yet finished.
    @inline(__always)
    func id(
        prefix: UnsafeBufferPointer<UInt8>, _ rest: UnsafePointer<UInt8>, length: Int, hash: UInt64
    ) -> Int32? {
        id(finishedHash: ByteHash.finished(hash)) { isToken(at: $0, prefix, rest, length) }
    }

    /// The same token, looked for first at the place in the file where it is expected.
    ///
    /// Vocabularies of byte-pair encoding list what the merges make in the order of the merges.
    func position(
        prefix: UnsafeBufferPointer<UInt8>, _ rest: UnsafePointer<UInt8>, length: Int, hash: UInt64, expected: Int
    ) -> Int? {
        if entries.indices.contains(expected), isToken(at: expected, prefix, rest, length) { return expected }
        return id(prefix: prefix, rest, length: length, hash: hash).map { Int(positions[Int($0)]) }
    }

    /// The id of the token at a place in the file.
    func id(at position: Int) -> Int32 { entries[position].id }

    @inline(__always)
    private func isToken(
        at position: Int, _ prefix: UnsafeBufferPointer<UInt8>, _ rest: UnsafePointer<UInt8>, _ length: Int
    ) -> Bool {
        let entry = entries[position]
        guard Int(entry.length) == prefix.count + length else { return false }
        return bytes.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress.map({ $0 + Int(entry.start) }) else { return length == 0 }
            for index in 0..<prefix.count where start[index] != prefix[index] { return false }
            return memcmp(start + prefix.count, rest, length) == 0
        }
    }

    /// Calls `body` with the bytes of a token; nil if no token has the id.
    func withToken<Result, Failure: Error>(
        _ id: Int32, _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard id >= 0, Int(id) < positions.count, positions[Int(id)] >= 0 else { return nil }
        let position = Int(positions[Int(id)])
        return try bytes.withUnsafeBufferPointer { (bytes) throws(Failure) in
            try body(UnsafeBufferPointer(rebasing: bytes[range(of: entries[position])]))
        }
    }

    /// Calls `body` with the bytes of each token that is not empty, in the order of their ids.
    func eachToken(_ body: (Int32, UnsafeBufferPointer<UInt8>) throws(GraftError) -> Void) throws(GraftError) {
        try bytes.withUnsafeBufferPointer { bytes throws(GraftError) in
            for id in positions.indices where positions[id] >= 0 {
                let entry = entries[Int(positions[id])]
                if entry.length == 0 { continue }
                try body(Int32(id), UnsafeBufferPointer(rebasing: bytes[range(of: entry)]))
            }
        }
    }

    /// How many bytes a token has; 0 if no token has the id.
    func length(of id: Int32) -> Int { withToken(id) { $0.count } ?? 0 }

    func token(_ id: Int32) -> String? {
        withToken(id) { String(decoding: $0, as: UTF8.self) }
    }

    @inline(__always)
    private func id(finishedHash hash: UInt64, where isToken: (Int) -> Bool) -> Int32? {
        slots.withUnsafeBufferPointer { slots in
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot].position >= 0 {
                if slots[slot].tag == Self.tag(hash), isToken(Int(slots[slot].position)) {
                    return entries[Int(slots[slot].position)].id
                }
                slot = (slot + 1) & mask
            }
            return nil
        }
    }

    private static func tag(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 32) }

    private func range(of entry: Entry) -> Range<Int> { Int(entry.start)..<Int(entry.start) + Int(entry.length) }

    @inline(__always)
    private func token(at position: Int, equals token: UnsafeBufferPointer<UInt8>) -> Bool {
        let entry = entries[position]
        guard Int(entry.length) == token.count else { return false }
        guard let other = token.baseAddress else { return true }
        return bytes.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { memcmp($0 + Int(entry.start), other, token.count) == 0 } ?? token.isEmpty
        }
    }

    private mutating func growTable(to size: Int) {
        var larger = [Slot](repeating: Slot(), count: size)
        let mask = larger.count - 1
        // Of two entries with the same bytes the later is to be found first.
        for position in entries.indices.reversed() {
            let hash = bytes.withUnsafeBufferPointer { bytes in
                let token = bytes[range(of: entries[position])]
                return ByteHash.finished(ByteHash.of(UnsafeBufferPointer(rebasing: token)))
            }
            var slot = Int(truncatingIfNeeded: hash) & mask
            while larger[slot].position >= 0 { slot = (slot + 1) & mask }
            larger[slot] = Slot(tag: Self.tag(hash), position: Int32(position))
        }
        slots = larger
        self.mask = mask
    }

    /// The tokens of the 256 bytes, such as `<0x0A>`; -1 where there is none.
    func byteTokens() -> [Int32] {
        (0..<256).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return id(of: "<0x\(digits.count == 1 ? "0" : "")\(digits)>") ?? -1
        }
    }

    private static func quoted(_ token: UnsafeBufferPointer<UInt8>) -> String {
        "\"" + String(decoding: token.prefix(40), as: UTF8.self) + "\""
    }
}
