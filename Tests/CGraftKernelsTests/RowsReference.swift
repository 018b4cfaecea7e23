import CGraftKernels
import Testing

/// Numbers in [-scale, scale) that depend on the seed alone.
func randomFloats(_ count: Int, seed: UInt64, scale: Float = 1) -> [Float] {
    var generator = Generator(state: seed &* 0x9E37_79B9_7F4A_7C15)
    return (0..<count).map { _ in generator.next() * scale }
}

/// Counts around a vector's size, and primes.
let oddCounts = [0, 1, 15, 16, 17, 31, 97, 521]

/// Requires each value to be within `tolerance` of the expected one, relative to the larger of 1
/// and its size.
func expectClose(
    _ values: [Float], _ expected: [Double], within tolerance: Double, _ comment: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(values.count == expected.count, "\(comment)", sourceLocation: sourceLocation)
    for (i, (value, target)) in zip(values, expected).enumerated() {
        let allowed = tolerance * max(1, target.magnitude)
        if (Double(value) - target).magnitude <= allowed { continue }
        Issue.record(
            "\(comment): element \(i) is \(value), expected \(target) ± \(allowed)", sourceLocation: sourceLocation)
        return
    }
}

/// Requires a function of the team to give the same bits with 1, 2, 3 and 8 threads.
func expectSameBitsOnAnyThreads(
    _ comment: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ results: (UnsafePointer<gk_team>) -> [Float]
) {
    let alone = Team(1).run(results).map(\.bitPattern)
    for threads in [2, 3, 8] {
        let together = Team(threads).run(results).map(\.bitPattern)
        #expect(together == alone, "\(comment), \(threads) threads", sourceLocation: sourceLocation)
    }
}

/// The slope of a function of doubles, by a central difference.
func slope(at x: Double, step: Double = 1e-5, _ function: (Double) -> Double) -> Double {
    (function(x + step) - function(x - step)) / (2 * step)
}

func dropout(_ probability: Float, key: UInt64 = 0x1234_5678_9abc_def0, first: UInt64 = 0, site: UInt32 = 7)
    -> gk_dropout
{
    gk_dropout(key: key, first_element: first, site: site, probability: probability)
}

/// Half `half` of the four words of a Philox counter.
func philoxHalf(_ key: UInt64, _ counter: [UInt32], _ half: Int) -> UInt32 {
    var words: [UInt32] = [0, 0, 0, 0]
    gk_philox(key, counter, &words)
    return words[half / 2] >> (half % 2 == 0 ? 0 : 16) & 0xffff
}

/// What element `e` of a dropout is multiplied by, from the documented definition.
func keepFactor(_ dropout: gk_dropout, element e: UInt64) -> Double {
    let threshold = UInt32((dropout.probability * 65536).rounded())
    let counter = [UInt32(truncatingIfNeeded: e / 8), UInt32(truncatingIfNeeded: (e / 8) >> 32), 0, dropout.site]
    return philoxHalf(dropout.key, counter, Int(e % 8)) >= threshold ? 65536 / Double(65536 - threshold) : 0
}
