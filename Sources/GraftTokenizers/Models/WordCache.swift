/// The tokens of words met before: a direct-mapped table whose entries fill one cache line each.
///
/// Only short words of few tokens are kept, which nearly all are. A newer word takes the place of
/// an older one.
struct WordCache: ~Copyable {
    static let longestWord = 32
    static let mostTokens = 6
    private static let bits: UInt64 = 14

    /// A word's bytes, zeros after them.
    struct Key: BitwiseCopyable, Equatable {
        var words: (UInt64, UInt64, UInt64, UInt64)

        /// No word's.
        init() { words = (0, 0, 0, 0) }

        /// - Parameter count: 1 to 32.
        @inline(__always)
        init(_ bytes: UnsafePointer<UInt8>, count: Int) {
            words = (0, 0, 0, 0)
            let source = UnsafeRawPointer(bytes)
            if count >= 8 {
                words.0 = source.loadUnaligned(as: UInt64.self)
                if count <= 16 {
                    words.1 = Self.tail(source, 8, count)
                } else {
                    words.1 = source.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                    if count <= 24 {
                        words.2 = Self.tail(source, 16, count)
                    } else {
                        words.2 = source.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
                        words.3 = Self.tail(source, 24, count)
                    }
                }
            } else {
                var index = count
                while index > 0 {
                    index -= 1
                    words.0 = words.0 << 8 | UInt64(bytes[index])
                }
            }
        }

        /// The bytes from `start` to `count`, at most 8 of them; 8 or more stand before.
        @inline(__always)
        private static func tail(_ source: UnsafeRawPointer, _ start: Int, _ count: Int) -> UInt64 {
            if count == start { return 0 }
            let last = source.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
            return last >> UInt64(8 * (8 - (count - start)))
        }

        @inline(__always)
        static func == (left: Key, right: Key) -> Bool {
            (left.words.0 ^ right.words.0) | (left.words.1 ^ right.words.1) | (left.words.2 ^ right.words.2)
                | (left.words.3 ^ right.words.3) == 0
        }

        @inline(__always)
        func slot(_ count: Int) -> Int {
            var hash = words.0 &* 0x9E37_79B9_7F4A_7C15
            hash = (hash ^ hash >> 32 ^ words.1) &* 0xD6E8_FEB8_6659_FD93
            hash = (hash ^ hash >> 32 ^ words.2) &* 0xA076_1D64_78BD_642F
            hash = (hash ^ hash >> 32 ^ words.3 ^ UInt64(count)) &* 0xE703_7ED1_A0B4_28DB
            return Int(truncatingIfNeeded: hash >> (64 - WordCache.bits))
        }
    }

    /// 64 bytes. The length tells a word that ends with NUL from one that does not.
    struct Entry: BitwiseCopyable {
        var key: Key
        var ids: (Int32, Int32, Int32, Int32, Int32, Int32) = (0, 0, 0, 0, 0, 0)
        /// Where each token ends in the word.
        var ends: (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0, 0, 0)
        /// 0 for an entry that is empty.
        var length: UInt8 = 0
        var tokenCount: UInt8 = 0
    }

    private let entries: UnsafeMutablePointer<Entry>

    init() {
        entries = .allocate(capacity: 1 << Self.bits)
        entries.initialize(repeating: Entry(key: Key()), count: 1 << Self.bits)
    }

    deinit { entries.deallocate() }

    /// Appends the tokens of a word that is known; false if it is not.
    @inline(__always)
    func append(
        _ key: Key, length: Int, start: Int32, piece: Int32, to tokens: inout Buffer<FoundToken>
    ) -> Bool {
        let entry = entries + key.slot(length)
        guard entry.pointee.key == key, Int(entry.pointee.length) == length else { return false }
        tokens.reserve(Self.mostTokens)
        var begin = start
        let ids = UnsafeRawPointer(entry).advanced(by: MemoryLayout<Entry>.offset(of: \.ids) ?? 0)
        let ends = UnsafeRawPointer(entry).advanced(by: MemoryLayout<Entry>.offset(of: \.ends) ?? 0)
        for index in 0..<Int(entry.pointee.tokenCount) {
            let end = start + Int32(ends.load(fromByteOffset: index, as: UInt8.self))
            let id = ids.load(fromByteOffset: 4 * index, as: Int32.self)
            tokens.appendReserved(FoundToken(id: id, start: begin, end: end, piece: piece))
            begin = end
        }
        return true
    }

    /// Keeps the tokens from `first` on as those of a word, if they are few.
    func keep(_ key: Key, length: Int, start: Int32, tokens: borrowing Buffer<FoundToken>, from first: Int) {
        let count = tokens.count - first
        guard count <= Self.mostTokens else { return }
        var entry = Entry(key: key)
        entry.length = UInt8(truncatingIfNeeded: length)
        entry.tokenCount = UInt8(truncatingIfNeeded: count)
        var end = start
        for index in 0..<count {
            let token = tokens[first + index]
            // Tokens follow each other without gaps, or the word is not kept.
            guard token.start == end, token.end - start <= UInt8.max else { return }
            end = token.end
            withUnsafeMutableBytes(of: &entry.ids) {
                $0.storeBytes(of: token.id, toByteOffset: 4 * index, as: Int32.self)
            }
            withUnsafeMutableBytes(of: &entry.ends) { $0[index] = UInt8(truncatingIfNeeded: end - start) }
        }
        entries[key.slot(length)] = entry
    }
}
