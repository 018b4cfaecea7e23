import GraftTensor

/// All beginnings of the tokens of a vocabulary: a tree whose edges are bytes, kept in one
/// open-addressing table.
///
/// One walk over a text finds all tokens that start at a place, a probe for each byte. Building it
/// takes a probe for each byte of the vocabulary.
struct PieceTrie: Sendable {
    /// The number of a node, and whether a token ends at it. The root is 0, and no step leads to
    /// it.
    struct Step: BitwiseCopyable {
        fileprivate var bits: UInt32

        static let root = Step(bits: 0)
        var isNone: Bool { bits == 0 }
        var isToken: Bool { bits & PieceTrie.tokenMark != 0 }
        fileprivate var node: UInt32 { bits & ~PieceTrie.tokenMark }
    }

    private static let tokenMark: UInt32 = 1 << 31
    /// A node's number and a byte fill 32 bits.
    private static let mostNodes = 1 << 24

    /// The node above and the byte, 32 bits, then the step; 0 for an empty slot.
    private var slots: [UInt64]
    private var shift: UInt64
    /// The token that ends at a node, or -1.
    private var tokens: [Int32] = [-1]

    /// - Parameter count: how many nodes to make room for; more may come.
    init(count: Int) throws(GraftError) {
        var bits = 10
        while 1 << bits < min(count, Self.mostNodes) * 3 / 2 { bits += 1 }
        try Memory.require(8 << bits, to: "the beginnings of tokens")
        slots = Array(repeating: 0, count: 1 << bits)
        shift = UInt64(64 - bits)
    }

    /// Adds a token that is not empty. Of two with the same bytes the later counts.
    mutating func add(_ token: UnsafeBufferPointer<UInt8>, id: Int32) throws(GraftError) {
        var node: UInt32 = 0
        for (index, byte) in token.enumerated() {
            let key = Self.key(node, byte)
            var slot = place(of: key)
            while slots[slot] != 0, slots[slot] >> 32 != key { slot = (slot + 1) & (slots.count - 1) }
            if slots[slot] == 0 {
                guard tokens.count < Self.mostNodes else {
                    throw GraftError(
                        .unsupported, "the tokens have more than \(Self.mostNodes) different beginnings")
                }
                if tokens.count * 3 > slots.count * 2 {
                    try grow()
                    slot = place(of: key)
                    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
                }
                slots[slot] = key << 32 | UInt64(tokens.count)
                tokens.append(-1)
            }
            if index == token.count - 1 { slots[slot] |= UInt64(Self.tokenMark) }
            node = Step(bits: UInt32(truncatingIfNeeded: slots[slot])).node
        }
        if node > 0 { tokens[Int(node)] = id }
    }

    /// The node that a byte leads to.
    @inline(__always)
    func step(_ from: Step, _ byte: UInt8) -> Step {
        let key = Self.key(from.node, byte)
        return slots.withUnsafeBufferPointer { slots in
            var slot = place(of: key)
            while slots[slot] != 0 {
                if slots[slot] >> 32 == key { return Step(bits: UInt32(truncatingIfNeeded: slots[slot])) }
                slot = (slot + 1) & (slots.count - 1)
            }
            return Step(bits: 0)
        }
    }

    /// The token that ends at a node where one does.
    @inline(__always)
    func token(at step: Step) -> Int32 {
        tokens.withUnsafeBufferPointer { $0[Int(step.node)] }
    }

    @inline(__always)
    private static func key(_ node: UInt32, _ byte: UInt8) -> UInt64 { UInt64(node << 8 | UInt32(byte)) }

    /// The high bits of a product (Fibonacci hashing).
    @inline(__always)
    private func place(of key: UInt64) -> Int {
        Int(truncatingIfNeeded: ((key ^ key >> 15) &* 0x9E37_79B9_7F4A_7C15) >> shift)
    }

    private mutating func grow() throws(GraftError) {
        try Memory.require(2 * slots.count * MemoryLayout<UInt64>.stride, to: "the beginnings of tokens")
        let old = slots
        slots = Array(repeating: 0, count: 2 * old.count)
        shift -= 1
        for filled in old where filled != 0 {
            var slot = place(of: filled >> 32)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = filled
        }
    }
}
