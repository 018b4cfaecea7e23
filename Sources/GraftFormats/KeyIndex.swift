/// Finds positions of keys in a list by their bytes: an open hash table of 32-bit positions.
///
/// It holds no keys, so that an object of 150,000 members costs one flat array more. The hash is
/// seeded once per process, so that a file cannot be made of keys that collide.
struct KeyIndex: Sendable {
    /// Position + 1 of a key; 0 is free. The count is a power of two, at least twice the keys.
    private var slots: [UInt32]
    private var count = 0

    private static let seed: (UInt64, UInt64) = (.random(in: .min ... .max) | 1, .random(in: .min ... .max) | 1)

    init(capacity: Int) {
        var slotCount = 16
        while slotCount < capacity * 2 { slotCount *= 2 }
        slots = [UInt32](repeating: 0, count: slotCount)
    }

    var isFull: Bool { count * 2 >= slots.count }

    /// Position of `key`, where `keyAt` gives the key of a position.
    func position(of key: String, _ keyAt: (Int) -> String) -> Int? {
        let slot = slots[self.slot(of: key, keyAt)]
        return slot == 0 ? nil : Int(slot) - 1
    }

    /// Notes the key's position; false, and no change, if the key is there already.
    mutating func insert(_ key: String, at position: Int, _ keyAt: (Int) -> String) -> Bool {
        let slot = slot(of: key, keyAt)
        guard slots[slot] == 0, let number = UInt32(exactly: position + 1) else { return false }
        slots[slot] = number
        count += 1
        return true
    }

    /// The slot that holds the key, or the free one where it belongs.
    private func slot(of key: String, _ keyAt: (Int) -> String) -> Int {
        ExactString.withBytes(key) { bytes in
            let mask = slots.count - 1
            var slot = Int(truncatingIfNeeded: Self.hash(UnsafeRawBufferPointer(bytes))) & mask
            while slots[slot] != 0 {
                let isHere = ExactString.withBytes(keyAt(Int(slots[slot]) - 1)) { other in
                    other.count == bytes.count && other.elementsEqual(bytes)
                }
                if isHere { break }
                slot = (slot + 1) & mask
            }
            return slot
        }
    }

    /// Multiply-and-fold over words of eight bytes, keyed by the seed.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        let (first, second) = seed
        var state = first ^ UInt64(truncatingIfNeeded: bytes.count)
        var offset = 0
        while bytes.count - offset >= 8 {
            state = fold(state ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self), second)
            offset += 8
        }
        var last: UInt64 = 0
        for byte in bytes[offset...] { last = last << 8 | UInt64(byte) }
        return fold(fold(state ^ last, second), first)
    }

    private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (high, low) = a.multipliedFullWidth(by: b)
        return high ^ low
    }
}
