import CGraftKernels
import Glibc

/// Counter-based random numbers (Philox 4x32-10, Salmon et al. 2011): the same on every machine.
///
/// Streams with different names under one seed are independent, so a tensor's initial values do not
/// depend on which other tensors there are.
package struct RandomNumbers: RandomNumberGenerator, Sendable {
    private let key: UInt64
    private let stream: UInt64
    private var block: UInt64 = 0
    private var words: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
    private var left = 0

    package init(seed: UInt64, stream: String) {
        key = seed
        self.stream = fnv1a(stream.utf8)
    }

    package mutating func next() -> UInt64 { UInt64(nextWord()) << 32 | UInt64(nextWord()) }

    private mutating func nextWord() -> UInt32 {
        if left == 0 {
            let counter = [
                UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32),
                UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32),
            ]
            withUnsafeMutableBytes(of: &words) { bytes in
                gk_philox(key, counter, bytes.assumingMemoryBound(to: UInt32.self).baseAddress)
            }
            block &+= 1
            left = 4
        }
        left -= 1
        switch left {
        case 3: return words.0
        case 2: return words.1
        case 1: return words.2
        default: return words.3
        }
    }

    /// Uniform in [0, 1), 24 bits.
    package mutating func uniform() -> Float { Float(nextWord() >> 8) * 0x1p-24 }

    /// Normal with mean 0 and deviation 1 (Box and Muller 1958).
    package mutating func normal() -> Float {
        let radius = sqrt(-2 * log((Double(nextWord()) + 1) * 0x1p-32))
        return Float(radius * cos(2 * Double.pi * Double(nextWord()) * 0x1p-32))
    }

    /// Uniform in 0 ..< bound, without bias (Lemire 2019).
    package mutating func below(_ bound: Int) -> Int { Int(next(upperBound: UInt64(max(bound, 1)))) }
}

/// Fowler, Noll and Vo's 64-bit hash.
package func fnv1a(_ bytes: some Sequence<UInt8>, from start: UInt64 = 0xcbf2_9ce4_8422_2325) -> UInt64 {
    bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}

/// SplitMix64's finish (Steele et al. 2014) of two numbers: keys that differ in every bit from
/// their neighbours'.
package func mixed(_ seed: UInt64, _ count: UInt64) -> UInt64 {
    var z = seed &+ (count &+ 1) &* 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
}
