/// Targets and outputs of the rows of an evaluation, where these are values.
struct Values: Sendable {
    let width: Int
    private var targets: [Double] = []
    private var outputs: [Double] = []
    var weights = Weights()
    /// By column: rows in the order of their targets and outputs, found once for all resamples.
    private var orders: [(targets: [Int32], outputs: [Int32])] = []

    init(width: Int) { self.width = width }

    mutating func reserve(_ rows: Int) {
        targets.reserveCapacity(rows * width)
        outputs.reserveCapacity(rows * width)
    }

    /// Of one row.
    mutating func add(targets row: some Sequence<Double>, outputs own: some Sequence<Double>) {
        targets.append(contentsOf: row)
        outputs.append(contentsOf: own)
    }

    var rowCount: Int { width == 0 ? 0 : targets.count / width }

    mutating func prepare() {
        if orders.isEmpty { orders = (0..<width).map { order($0) } }
    }

    private func order(_ column: Int) -> (targets: [Int32], outputs: [Int32]) {
        (
            ascendingOrder(count: rowCount) { targets[$0 * width + column] },
            ascendingOrder(count: rowCount) { outputs[$0 * width + column] }
        )
    }

    private func column(_ numbers: [Double], _ column: Int) -> [Double] {
        width == 1 ? numbers : (0..<rowCount).map { numbers[$0 * width + column] }
    }

    func followed(by other: Values) -> Values {
        var both = self
        both.targets += other.targets
        both.outputs += other.outputs
        both.weights.values += other.weights.values
        both.orders = []
        return both
    }

    func hasTruth(of other: Values) -> Bool {
        width == other.width && targets == other.targets && weights.values == other.weights.values
    }

    /// Means over the values of a row. `mse`, `mae` and `r2` are as in scikit-learn, the
    /// correlations as in scipy, which knows no weights: NaN where either side is always the same.
    static let measures = [
        Measure("mse", growsWithQuality: false) { $0.values.meanError($0.repeats) { $0 * $0 } },
        Measure("pearson") { evidence in
            evidence.values.mean { column, values in
                Correlation.pearson(
                    values.column(values.targets, column), values.column(values.outputs, column), evidence.repeats)
            }
        },
        Measure("spearman") { evidence in
            evidence.values.mean { column, values in
                let order = values.orders.isEmpty ? values.order(column) : values.orders[column]
                return Correlation.pearson(
                    Correlation.ranks(values.column(values.targets, column), order.targets, evidence.repeats),
                    Correlation.ranks(values.column(values.outputs, column), order.outputs, evidence.repeats),
                    evidence.repeats)
            }
        },
        Measure("kendall") { evidence in
            evidence.values.mean { column, values in
                let order = values.orders.isEmpty ? values.order(column) : values.orders[column]
                return Correlation.kendall(
                    values.column(values.targets, column), values.column(values.outputs, column), order.targets,
                    order.outputs, evidence.repeats)
            }
        },
        Measure("r2") { evidence in
            evidence.values.mean { column, values in values.explained(column, evidence.repeats) }
        },
        Measure("mae", growsWithQuality: false) { $0.values.meanError($0.repeats) { abs($0) } },
    ]

    private func meanError(_ repeats: Repeats, _ error: (Double) -> Double) -> Double {
        var (sum, total) = (0.0, 0.0)
        for row in 0..<rowCount {
            let weight = weights[row] * repeats[row]
            if weight == 0 { continue }
            total += weight
            for place in row * width..<(row + 1) * width { sum += weight * error(targets[place] - outputs[place]) }
        }
        return total == 0 ? .nan : sum / (total * Double(width))
    }

    /// The mean over the columns.
    private func mean(_ measure: (Int, Values) -> Double) -> Double {
        guard rowCount > 0 else { return .nan }
        return (0..<width).reduce(0) { $0 + measure($1, self) } / Double(width)
    }

    /// The part of the spread of the targets that the outputs explain. Where there is none it is 1
    /// if they are exact, else 0; NaN of one row.
    private func explained(_ column: Int, _ repeats: Repeats) -> Double {
        var (sum, total, count) = (0.0, 0.0, 0.0)
        for row in 0..<rowCount {
            count += repeats[row]
            total += weights[row] * repeats[row]
            sum += weights[row] * repeats[row] * targets[row * width + column]
        }
        guard count >= 2 else { return .nan }
        let mean = sum / total
        var (residue, spread) = (0.0, 0.0)
        for row in 0..<rowCount {
            let (target, weight) = (targets[row * width + column], weights[row] * repeats[row])
            let (error, deviation) = (target - outputs[row * width + column], target - mean)
            residue += weight * error * error
            spread += weight * deviation * deviation
        }
        return spread == 0 ? (residue == 0 ? 1 : 0) : 1 - residue / spread
    }
}
