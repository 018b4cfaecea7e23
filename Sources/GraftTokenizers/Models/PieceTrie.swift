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

    /// Of all tokens of a vocabulary that are not empty. Of two with the same bytes the one
    /// with the larger id counts.
    ///
    /// Most of its time would be waiting for memory, one node after the other. So all tokens grow
    /// by one byte together, and the slots of several are read before the first is looked at.
    init(_ vocabulary: Vocabulary) throws(GraftError) {
        // Of the vocabularies there are, tokens share all but some three of their bytes.
        let count = 3 * (vocabulary.largestID + 1)
        var bits = 10
        while 1 << bits < min(count, Self.mostNodes) * 3 / 2 { bits += 1 }
        try Memory.require(8 << bits + 16 * count, to: "the beginnings of tokens")
        slots = Array(repeating: 0, count: 1 << bits)
        shift = UInt64(64 - bits)
        tokens.reserveCapacity(count)
        var growing = vocabulary.places()
        var nodes = [UInt32](repeating: 0, count: growing.count)
        while !growing.isEmpty {
            try Memory.check()
            try vocabulary.withBytes { bytes throws(GraftError) in
                var kept = 0
                for first in stride(from: 0, to: growing.count, by: Self.together) {
                    let last = min(first + Self.together, growing.count)
                    var read: InlineArray<16, UInt64> = .init(repeating: 0)
                    for index in first..<last {
                        read[index - first] = slots[place(of: Self.key(nodes[index], bytes[growing[index].start]))]
                    }
                    for index in first..<last {
                        var piece = growing[index]
                        let node = try grow(
                            nodes[index], bytes[piece.start], isEnd: piece.length == 1, found: read[index - first])
                        if piece.length == 1 {
                            tokens[Int(node)] = piece.id
                        } else {
                            (piece.start, piece.length) = (piece.start + 1, piece.length - 1)
                            (growing[kept], nodes[kept]) = (piece, node)
                            kept += 1
                        }
                    }
                }
                growing.removeLast(growing.count - kept)
            }
        }
    }

    /// Tokens whose slots are read together.
    private static let together = 16

    /// The node that a byte leads to, which is made where there is none.
    ///
    /// - Parameters:
    ///   - isEnd: whether a token ends there.
    ///   - found: what the first slot that it may be in held some time before.
    private mutating func grow(
        _ node: UInt32, _ byte: UInt8, isEnd: Bool, found: UInt64
    ) throws(GraftError) -> UInt32 {
        let key = Self.key(node, byte)
        // A step never changes but for the mark of a token, and never goes.
        if found >> 32 == key, found != 0, !isEnd {
            return Step(bits: UInt32(truncatingIfNeeded: found)).node
        }
        var slot = place(of: key)
        while slots[slot] != 0, slots[slot] >> 32 != key { slot = (slot + 1) & (slots.count - 1) }
        if slots[slot] == 0 {
            guard tokens.count < Self.mostNodes else {
                throw GraftError(.unsupported, "the tokens have more than \(Self.mostNodes) different beginnings")
            }
            if tokens.count * 3 > slots.count * 2 {
                try enlarge()
                slot = place(of: key)
                while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            }
            slots[slot] = key << 32 | UInt64(tokens.count)
            tokens.append(-1)
        }
        if isEnd { slots[slot] |= UInt64(Self.tokenMark) }
        return Step(bits: UInt32(truncatingIfNeeded: slots[slot])).node
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

    private mutating func enlarge() throws(GraftError) {
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
