import Glibc

/// How well the tokens of a row were predicted, next ones or masked ones: sums over them. Of
/// several rows each weighs as much as it has tokens to predict.
struct PredictedRow {
    var loss = 0.0
    var correct = 0.0
    var count = 0.0

    /// Of rows that were masked one token each, `perplexity` is the pseudo-perplexity of Salazar et
    /// al. (2020).
    static let measures = [
        Measure("accuracy") { $0.rows.mean("accuracy", $0.repeats) },
        Measure("perplexity", growsWithQuality: false) { exp($0.rows.mean("loss", $0.repeats)) },
    ]

    func add(to evidence: inout Evidence) {
        evidence.loss += loss
        evidence.weight += count
        let tokens = max(count, 1)
        evidence.rows.add([("accuracy", correct / tokens), ("loss", loss / tokens)], weight: count)
    }
}
