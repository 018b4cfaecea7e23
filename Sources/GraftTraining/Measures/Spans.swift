import GraftLayers
import GraftTensor

/// How well the span that a row's tokens choose is its answer, in tokens: of rows whose answer lies
/// in them.
enum Spans {
    static let measures = ["span_exact_match", "span_f1"].map { name in
        Measure(name) { $0.rows.mean(name, $0.repeats) }
    }

    /// The span with the largest sum of its two logits, of any length; the first of equals.
    static func best(_ logits: Matrix) -> ClosedRange<Int> {
        func number(_ token: Int, _ side: Int) -> Float { logits.base[token * logits.stride + side] }
        var (start, best, score) = (0, 0...0, -Float.infinity)
        for end in 0..<logits.rows {
            if number(end, 0) > number(start, 0) { start = end }
            let sum = number(start, 0) + number(end, 1)
            if sum > score { (best, score) = (start...end, sum) }
        }
        return best
    }

    /// Of one row: F1 is of the tokens that both spans have.
    static func measured(
        _ found: ClosedRange<Int>, truth: ClosedRange<Int>
    ) -> [(name: String, value: Double)] {
        let shared = max(0, min(found.upperBound, truth.upperBound) - max(found.lowerBound, truth.lowerBound) + 1)
        let f1 = 2 * Double(shared) / Double(found.count + truth.count)
        return [("span_exact_match", found == truth ? 1 : 0), ("span_f1", f1)]
    }
}
