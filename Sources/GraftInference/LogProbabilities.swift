/// Log-probabilities of a row's next token as the model gives them, before anything is done to its
/// logits: log softmax, of any token and of the likeliest.
package struct LogProbabilities: Sendable {
    /// The likeliest so many, the likeliest first and equals by their numbers.
    package private(set) var tokens: [Int32] = []
    package private(set) var ofTokens: [Float] = []
    private var logits: [Float] = []
    /// log Σ exp(logits).
    private var logSum = 0.0

    /// Reads logits that are numbers, the largest of them finite, before they change.
    ///
    /// - Parameters:
    ///   - logSum: log Σ exp(logits), or 0 of log-probabilities.
    ///   - count: Of the likeliest that are wanted.
    mutating func read(_ row: Logits, logSum: Double, count: Int) {
        logits.removeAll(keepingCapacity: true)
        logits.append(contentsOf: row)
        self.logSum = logSum
        tokens = row.places(ofLargest: count).map(Int32.init)
        ofTokens = tokens.map { self[$0] }
    }

    package subscript(token: Int32) -> Float { Float(Double(logits[Int(token)]) - logSum) }
}
