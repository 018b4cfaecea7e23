/// The hash of token bytes: FNV-1a in 64 bits, so that the hashes of all beginnings of a word come
/// from one pass.
enum ByteHash {
    static let empty: UInt64 = 0xCBF2_9CE4_8422_2325

    @inline(__always)
    static func adding(_ byte: UInt8, to hash: UInt64) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }

    static func of(_ bytes: UnsafeBufferPointer<UInt8>, after hash: UInt64 = empty) -> UInt64 {
        var hash = hash
        for byte in bytes { hash = adding(byte, to: hash) }
        return hash
    }

    /// Spreads the entropy of the high bits, which multiplication collects, over the low ones that
    /// index a table.
    @inline(__always)
    static func finished(_ hash: UInt64) -> UInt64 {
        let mixed = (hash ^ (hash >> 32)) &* 0x9E37_79B9_7F4A_7C15
        return mixed ^ (mixed >> 29)
    }
}
