/// What each row of an evaluation is worth by itself, in several named ways; an evaluation has
/// their means.
struct RowValues: Sendable {
    private(set) var names: [String] = []
    /// Of each name a number for each row.
    private var columns: [[Double]] = []
    private(set) var rowCount = 0
    var weights = Weights()
    /// Of answers: how likely each row has none, where that was given, and whether it has one.
    var noAnswer: NoAnswer?

    init() {}

    /// As many in each column.
    init(_ columns: KeyValuePairs<String, [Double]>) {
        names = columns.map(\.key)
        self.columns = columns.map(\.value)
        rowCount = self.columns.first?.count ?? 0
    }

    subscript(name: String) -> [Double]? { names.firstIndex(of: name).map { columns[$0] } }

    /// All rows have the names of the first, and a weight if it has one.
    mutating func add(_ row: [(name: String, value: Double)], weight: Double? = nil) {
        if names.isEmpty {
            names = row.map(\.name)
            columns = Array(repeating: [], count: row.count)
        }
        for (place, own) in row.enumerated() { columns[place].append(own.value) }
        if let weight { weights.values.append(weight) }
        rowCount += 1
    }

    /// NaN without rows or such a value.
    func mean(_ name: String, _ repeats: Repeats) -> Double {
        guard let values = self[name] else { return .nan }
        var (sum, total) = (0.0, 0.0)
        for row in values.indices {
            let weight = weights[row] * repeats[row]
            sum += weight * values[row]
            total += weight
        }
        return total == 0 ? .nan : sum / total
    }

    func followed(by other: RowValues) -> RowValues {
        guard rowCount > 0 else { return other }
        var both = self
        for place in other.names.indices { both.columns[place] += other.columns[place] }
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
