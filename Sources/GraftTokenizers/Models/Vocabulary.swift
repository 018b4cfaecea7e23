import GraftTensor

/// The tokens of a model and their ids: all bytes end to end, found through one open-addressing table.
///
/// Built once, then read by any number of threads.
struct Vocabulary: Sendable {
    /// Ids beyond this are taken for damage rather than memory reserved for them.
    static let maximumID = 1 << 24

    private var bytes: [UInt8] = []
    /// Where the token at a position of the file begins; one more at the end.
    private var starts: [UInt32] = [0]
    private var ids: [Int32] = []
    /// Position by id; -1 for an id that no token has.
    private var positions: [Int32] = []
    private var slots: [Slot]
    private var mask: Int
    /// Bytes of the longest token.
    private(set) var longest = 0

    /// Half of a token's hash, and the token's position; -1 for an empty slot.
    private struct Slot: BitwiseCopyable, Sendable {
        var tag: UInt32 = 0
        var position: Int32 = -1
    }

    /// - Parameter count: how many tokens to make room for; more may come.
    init(count: Int = 0) {
        var size = 1024
        while size < min(count, Self.maximumID) * 3 / 2 { size *= 2 }
        slots = Array(repeating: Slot(), count: size)
        mask = size - 1
        starts.reserveCapacity(count + 1)
        ids.reserveCapacity(count)
    }

    /// How many tokens there are.
    var count: Int { ids.count }

    /// The largest id, or -1.
    var largestID: Int { positions.count - 1 }

    /// Adds a token. Of two with the same bytes the later id counts, as in a Python dictionary.
    mutating func add(_ token: UnsafeBufferPointer<UInt8>, id: Int) throws(GraftError) {
        guard id >= 0, id <= Self.maximumID else {
            throw GraftError(
                .corruptFile,
                "the token \(Self.quoted(token)) has the id \(id): expected 0 to \(Self.maximumID)")
        }
        while positions.count <= id { positions.append(-1) }
        let hash = ByteHash.finished(ByteHash.of(token))
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot].position >= 0 {
            if slots[slot].tag == Self.tag(hash), self.token(at: Int(slots[slot].position), equals: token) {
                let position = Int(slots[slot].position)
                if positions[Int(ids[position])] == slots[slot].position { positions[Int(ids[position])] = -1 }
                ids[position] = Int32(id)
                positions[id] = slots[slot].position
                return
            }
            slot = (slot + 1) & mask
        }
        guard bytes.count + token.count < Int(UInt32.max) else {
            throw GraftError(.corruptFile, "the vocabulary has more than 4 GB of text")
        }
        slots[slot] = Slot(tag: Self.tag(hash), position: Int32(ids.count))
        positions[id] = Int32(ids.count)
        ids.append(Int32(id))
        bytes.append(contentsOf: token)
        starts.append(UInt32(bytes.count))
        longest = max(longest, token.count)
        if ids.count * 3 > slots.count * 2 { growTable() }
    }

    /// The id of a token.
    func id(of token: UnsafeBufferPointer<UInt8>) -> Int32? {
        let hash = ByteHash.finished(ByteHash.of(token))
        return id(finishedHash: hash) { self.token(at: $0, equals: token) }
    }

    func id(of token: String) -> Int32? {
        var token = token
        return token.withUTF8 { id(of: $0) }
    }

    /// The id of the token that is `prefix` and then `length` bytes; `hash` is of all of them, not yet finished.
    @inline(__always)
    func id(
        prefix: UnsafeBufferPointer<UInt8>, _ rest: UnsafePointer<UInt8>, length: Int, hash: UInt64
    ) -> Int32? {
        id(finishedHash: ByteHash.finished(hash)) { position in
            let start = Int(starts[position])
            guard Int(starts[position + 1]) - start == prefix.count + length else { return false }
            return bytes.withUnsafeBufferPointer { bytes in
                for index in 0..<prefix.count where bytes[start + index] != prefix[index] { return false }
                for index in 0..<length where bytes[start + prefix.count + index] != rest[index] { return false }
                return true
            }
        }
    }

    /// Calls `body` with the bytes of a token; nil if no token has the id.
    func withToken<Result>(_ id: Int32, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result? {
        guard id >= 0, Int(id) < positions.count, positions[Int(id)] >= 0 else { return nil }
        let position = Int(positions[Int(id)])
        return bytes.withUnsafeBufferPointer { bytes in
            body(UnsafeBufferPointer(rebasing: bytes[Int(starts[position])..<Int(starts[position + 1])]))
        }
    }

    func token(_ id: Int32) -> String? {
        withToken(id) { String(decoding: $0, as: UTF8.self) }
    }

    @inline(__always)
    private func id(finishedHash hash: UInt64, where isToken: (Int) -> Bool) -> Int32? {
        slots.withUnsafeBufferPointer { slots in
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot].position >= 0 {
                if slots[slot].tag == Self.tag(hash), isToken(Int(slots[slot].position)) {
                    return ids[Int(slots[slot].position)]
                }
                slot = (slot + 1) & mask
            }
            return nil
        }
    }

    private static func tag(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 32) }

    private func token(at position: Int, equals token: UnsafeBufferPointer<UInt8>) -> Bool {
        let start = Int(starts[position])
        guard Int(starts[position + 1]) - start == token.count else { return false }
        return bytes.withUnsafeBufferPointer { bytes in
            (0..<token.count).allSatisfy { bytes[start + $0] == token[$0] }
        }
    }

    private mutating func growTable() {
        var larger = [Slot](repeating: Slot(), count: slots.count * 2)
        let mask = larger.count - 1
        for position in 0..<ids.count {
            let hash = bytes.withUnsafeBufferPointer { bytes in
                let token = bytes[Int(starts[position])..<Int(starts[position + 1])]
                return ByteHash.finished(ByteHash.of(UnsafeBufferPointer(rebasing: token)))
            }
            var slot = Int(truncatingIfNeeded: hash) & mask
            while larger[slot].position >= 0 { slot = (slot + 1) & mask }
            larger[slot] = Slot(tag: Self.tag(hash), position: Int32(position))
        }
        slots = larger
        self.mask = mask
    }

    private static func quoted(_ token: UnsafeBufferPointer<UInt8>) -> String {
        "\"" + String(decoding: token.prefix(40), as: UTF8.self) + "\""
    }
}
