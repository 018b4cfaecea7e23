/// How likely rows have no answer by their predictions' own account, and whether they have one.
struct NoAnswer: Sendable {
    let scores: [Double]
    let hasAnswer: [Bool]
    /// Rows in the order of their scores, found once for all resamples.
    private var order: [Int32] = []

    init(scores: [Double], hasAnswer: [Bool]) {
        self.scores = scores
        self.hasAnswer = hasAnswer
    }

    mutating func prepare() {
        if order.isEmpty { order = ascendingOrder(count: scores.count) { scores[$0] } }
    }

    func followed(by other: NoAnswer) -> NoAnswer {
        NoAnswer(scores: scores + other.scores, hasAnswer: hasAnswer + other.hasAnswer)
    }

    /// The threshold on the scores above which rows are best called unanswerable, and the mean that
    /// follows, as `find_best_thresh` of SQuAD 2's script finds them: of equally good ones the
    /// smallest, or 0 for none.
    ///
    /// - Parameters:
    ///   - worth: Of each row's prediction, if it is given.
    ///   - isEmpty: Whether the prediction is no answer.
    func best(worth: [Double], isEmpty: [Double], _ repeats: Repeats) -> (threshold: Double, mean: Double) {
        var (current, total) = (0.0, 0.0)
        for row in scores.indices {
            total += repeats[row]
            if !hasAnswer[row] { current += repeats[row] }
        }
        var best = (threshold: 0.0, sum: current)
        for place in order.isEmpty ? ascendingOrder(count: scores.count, { scores[$0] }) : order {
            let row = Int(place)
            if repeats[row] == 0 { continue }
            current += repeats[row] * (hasAnswer[row] ? worth[row] : isEmpty[row] - 1)
            if current > best.sum { best = (scores[row], current) }
        }
        return (best.threshold, best.sum / total)
    }
}
