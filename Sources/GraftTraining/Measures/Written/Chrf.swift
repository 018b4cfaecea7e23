/// chrF (Popović 2015): F2 of sequences of characters of all rows together, as sacrebleu computes
/// it.
enum Chrf {
    private static let longest = 6
    /// Numbers of a row: of each length of sequences those that were written, those of the best of
    /// the references, and those of both.
    static let width = 3 * longest

    static func statistics(_ written: ScalarText, _ references: [ScalarText]) -> [Int] {
        var ngrams = NGrams(upTo: longest)
        let texts = ([written] + references).map { text in text.lazy.filter { !$0.isSpace }.map(\.value) }
        texts.forEach { ngrams.add(Array($0)) }
        var best: (row: [Int], score: Double)?
        for reference in 1..<ngrams.counts.count {
            var row = Array(repeating: 0, count: width)
            for (number, count) in ngrams.counts[reference].enumerated() where count > 0 {
                let order = ngrams.orders[number]
                row[3 * order + 1] += Int(count)
                if number < ngrams.counts[0].count { row[3 * order + 2] += Int(min(count, ngrams.counts[0][number])) }
            }
            // Where the reference has none of a length, what was written does not count against it.
            for order in 0..<longest where row[3 * order + 1] > 0 {
                row[3 * order] = max(0, texts[0].count - order)
            }
            let own = score(row.map(Double.init))
            if own > best?.score ?? -1 { best = (row, own) }
        }
        return best?.row ?? Array(repeating: 0, count: width)
    }

    /// From 0 to 100.
    static func score(_ sums: [Double]) -> Double {
        var (precision, recall, orders) = (0.0, 0.0, 0.0)
        for order in 0..<longest {
            let (given, wanted, right) = (sums[3 * order], sums[3 * order + 1], sums[3 * order + 2])
            guard given > 0, wanted > 0 else { continue }
            precision += right / given
            recall += right / wanted
            orders += 1
        }
        guard precision + recall > 0 else { return 0 }
        (precision, recall) = (precision / orders, recall / orders)
        // Recall counts twice as much as precision.
        return 100 * 5 * precision * recall / (4 * precision + recall)
    }
}
