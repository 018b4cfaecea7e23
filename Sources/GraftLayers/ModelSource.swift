import GraftTensor

/// Where a model came from and what it holds.
package struct ModelSource: @unchecked Sendable {
    package let path: String
    package let parameterCount: Int
    package let precision: Precision
    /// All frozen numbers, each part with what keeps it in memory.
    package typealias Weights = [(bytes: UnsafeRawBufferPointer, owner: AnyObject)]
    package let weights: Weights
    package let sentences: SentenceDeclaration

    /// Bytes of their own memory, and of the tables that are read from mapped files.
    package var memory: (own: Int, mapped: Int) {
        var memory = (own: 0, mapped: 0)
        for (bytes, owner) in weights {
            switch owner {
            case let weight as PackedWeight: memory.own += weight.residentByteCount
            case let numbers as Memory: memory.own += numbers.residentByteCount
            default: memory.mapped += bytes.count
            }
        }
        return memory
    }

    private let firstChecksum = Guarded<UInt64?>(nil)

    package init(
        path: String, parameterCount: Int, precision: Precision, weights: Weights, sentences: SentenceDeclaration
    ) {
        self.path = path
        self.parameterCount = parameterCount
        self.precision = precision
        self.weights = weights
        self.sentences = sentences
    }

    /// The checksum when it was first asked for: what tells these weights from others.
    package var identity: UInt64 {
        firstChecksum.withLock { known in
            let identity = known ?? checksum
            known = identity
            return identity
        }
    }

    /// A 64-bit hash of all packed weights, as they are now: 3 GB a second.
    package var checksum: UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for (part, owner) in weights {
            defer { withExtendedLifetime(owner) {} }
            let words = part.count / 8
            for index in 0..<words {
                let word = part.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
                hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
                hash ^= hash >> 29
            }
            for index in words * 8..<part.count { hash = (hash ^ UInt64(part[index])) &* 0x100_0000_01b3 }
        }
        return hash
    }
}
