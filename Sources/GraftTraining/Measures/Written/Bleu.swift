import Glibc

/// BLEU (Papineni et al. 2002) of all rows together, as sacrebleu computes it.
enum Bleu {
    private static let longest = 4
    /// Numbers of a row: its length, that of the reference nearest to it, and of each length of
    /// sequences those that a reference has as well, and all of them.
    static let width = 2 + 2 * longest

    static func statistics(_ written: [UInt32], _ references: [[UInt32]]) -> [Int] {
        var ngrams = NGrams(upTo: longest)
        ngrams.add(written)
        references.forEach { ngrams.add($0) }
        var right = Array(repeating: 0, count: longest)
        for (number, count) in ngrams.counts[0].enumerated() where count > 0 {
            let known = ngrams.counts[1...].reduce(0) { max($0, $1[number]) }
            right[ngrams.orders[number]] += Int(min(count, known))
        }
        let nearest = references.lazy.map(\.count)
            .min { (abs($0 - written.count), $0) < (abs($1 - written.count), $1) }
        return [written.count, nearest ?? 0] + right + (0..<longest).map { max(0, written.count - $0) }
    }

    /// From 0 to 100: the geometric mean of the precisions of 1 to 4 words, less where what was
    /// written is shorter. A precision of 0 is smoothed by halving (NIST).
    static func score(_ sums: [Double]) -> Double {
        let (length, wanted) = (sums[0], sums[1])
        let (right, all) = (sums[2..<2 + longest], sums[(2 + longest)...])
        guard right.contains(where: { $0 > 0 }), !all.contains(0) else { return 0 }
        var (smoothed, logarithms) = (1.0, 0.0)
        for (own, count) in zip(right, all) {
            if own == 0 { smoothed *= 2 }
            logarithms += log(own > 0 ? 100 * own / count : 100 / (smoothed * count))
        }
        return (length < wanted ? exp(1 - wanted / length) : 1) * exp(logarithms / Double(longest))
    }
}
