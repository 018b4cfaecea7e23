import Glibc

/// How well scores put the candidates of each query in order.
///
/// `ndcg` is scikit-learn's `ndcg_score`: gains are the relevances, a place's discount the
/// logarithm to base 2, and equal scores share their places; 0 where nothing is relevant. The
/// others are trec_eval's, of candidates whose relevance is above 0, where equal scores keep their
/// order: `mrr` is `recip_rank`, the reciprocal place of the first; `map` the mean precision at
/// each of them; `recall_at_k` and `precision_at_k` the part of them among the first k, and of the
/// first k that they are. 0 where a query has none.
enum Rankings {
    /// The k, in evaluations, of the measures that look at the first k.
    static let evaluatedPlaces = 10
    static let names = ["ndcg", "ndcg_at_k", "mrr", "map", "recall_at_k", "precision_at_k"]

    static let measures = names.map { name in Measure(name) { $0.rows.mean(name, $0.repeats) } }

    /// Of one query.
    static func measured(
        _ relevance: UnsafeBufferPointer<Double>, _ scores: UnsafeBufferPointer<Double>, k: Int
    ) -> [(name: String, value: Double)] {
        // The best first; equals in their order.
        let order = ascendingOrder(count: scores.count) { -scores[$0] }.map(Int.init)
        let ideal = relevance.sorted(by: >)
        var (found, foundAtK, first, precisions) = (0.0, 0.0, 0.0, 0.0)
        for (place, candidate) in order.enumerated() where relevance[candidate] > 0 {
            found += 1
            if place < k { foundAtK += 1 }
            if found == 1 { first = 1 / Double(place + 1) }
            precisions += found / Double(place + 1)
        }
        func ndcg(_ k: Int) -> Double {
            // What a loss may learn, this does not define.
            if ideal.last ?? 0 < 0 { return .nan }
            let best = ideal.enumerated().prefix(k).reduce(0.0) { $0 + $1.element * discount($1.offset) }
            return best == 0 ? 0 : gain(order, relevance, scores, k) / best
        }
        let values = [
            ndcg(scores.count), ndcg(k), first, found == 0 ? 0 : precisions / found,
            found == 0 ? 0 : foundAtK / found, foundAtK / Double(k),
        ]
        return zip(names, values).map { ($0, $1) }
    }

    /// The same where one candidate is relevant, by 1.
    static func measured(
        relevant: Int, _ scores: UnsafeBufferPointer<Float>, k: Int
    ) -> [(name: String, value: Double)] {
        var (above, equal, equalBefore) = (0, 0, 0)
        for (candidate, score) in scores.enumerated() {
            if score > scores[relevant] {
                above += 1
            } else if score == scores[relevant] {
                equal += 1
                equalBefore += candidate < relevant ? 1 : 0
            }
        }
        let place = above + equalBefore
        func ndcg(_ k: Int) -> Double {
            (above..<max(above, min(above + equal, k))).reduce(0) { $0 + discount($1) } / Double(max(equal, 1))
        }
        let (reciprocal, found) = (1 / Double(place + 1), place < k ? 1.0 : 0)
        let values = [ndcg(scores.count), ndcg(k), reciprocal, reciprocal, found, found / Double(k)]
        return zip(names, values).map { ($0, $1) }
    }

    private static func discount(_ place: Int) -> Double { 1 / log2(Double(place + 2)) }

    /// The discounted gain of the first k places, where equal scores share theirs.
    private static func gain(
        _ order: [Int], _ relevance: UnsafeBufferPointer<Double>, _ scores: UnsafeBufferPointer<Double>, _ k: Int
    ) -> Double {
        var sum = 0.0
        var first = 0
        while first < order.count {
            var end = first + 1
            while end < order.count, scores[order[end]] == scores[order[first]] { end += 1 }
            let gains = order[first..<end].reduce(0.0) { $0 + relevance[$1] }
            let discounts = (first..<min(end, max(first, k))).reduce(0.0) { $0 + discount($1) }
            sum += gains / Double(end - first) * discounts
            first = end
        }
        return sum
    }
}
