/// What each row of an evaluation is worth by itself, in several named ways; an evaluation has
/// their means.
struct RowValues: Sendable {
    /// By name: a number for each row.
    private(set) var columns: [String: [Double]] = [:]
    private(set) var rowCount = 0
    var weights = Weights()
    /// Of answers: how likely each row has none, where that was given, and whether it has one.
    var noAnswer: NoAnswer?

    mutating func add(_ row: [(name: String, value: Double)]) {
        for (name, value) in row { columns[name, default: []].append(value) }
        rowCount += 1
    }

    /// NaN without rows or such a value.
    func mean(_ name: String, _ repeats: Repeats) -> Double {
        guard let values = columns[name] else { return .nan }
        var (sum, total) = (0.0, 0.0)
        for row in values.indices {
            let weight = weights[row] * repeats[row]
            sum += weight * values[row]
            total += weight
        }
        return total == 0 ? .nan : sum / total
    }

    func followed(by other: RowValues) -> RowValues {
        var both = self
        for (name, values) in other.columns { both.columns[name, default: []] += values }
        both.rowCount += other.rowCount
        both.weights.values += other.weights.values
        if let noAnswer = other.noAnswer { both.noAnswer = self.noAnswer?.followed(by: noAnswer) }
        return both
    }

    func hasTruth(of other: RowValues) -> Bool {
        rowCount == other.rowCount && weights.values == other.weights.values
            && noAnswer?.hasAnswer == other.noAnswer?.hasAnswer
    }
}
