/// Targets and outputs of the rows of an evaluation, where these are values.
struct Values: Sendable {
    private let width: Int
    private var targets: [Float] = []
    private var outputs: [Float] = []

    init(width: Int) { self.width = width }

    /// Of one row.
    mutating func add(targets row: UnsafeBufferPointer<Float>, outputs own: UnsafeBufferPointer<Float>) {
        targets.append(contentsOf: row)
        outputs.append(contentsOf: own)
    }

    /// The correlations are as in scipy, and means over the values of a row; NaN where either side
    /// is always the same.
    static let measures = [
        Measure("mse", growsWithQuality: false) { evidence in
            let values = evidence.values
            guard !values.targets.isEmpty else { return .nan }
            return zip(values.targets, values.outputs).reduce(0.0) { sum, pair in
                let difference = Double(pair.0) - Double(pair.1)
                return sum + difference * difference
            } / Double(values.targets.count)
        },
        Measure("pearson") { $0.values.mean { pearson($0, $1) } },
        Measure("spearman") { $0.values.mean { pearson(ranks($0), ranks($1)) } },
    ]

    /// The mean over the columns.
    private func mean(_ measure: ([Double], [Double]) -> Double) -> Double {
        guard width > 0, !targets.isEmpty else { return .nan }
        func column(_ numbers: [Float], _ index: Int) -> [Double] {
            stride(from: index, to: numbers.count, by: width).map { Double(numbers[$0]) }
        }
        return (0..<width).reduce(0) { $0 + measure(column(targets, $1), column(outputs, $1)) } / Double(width)
    }

    private static func pearson(_ x: [Double], _ y: [Double]) -> Double {
        let dx = centred(x)
        let dy = centred(y)
        let product = zip(dx, dy).reduce(0) { $0 + $1.0 * $1.1 }
        let lengths = length(dx) * length(dy)
        return lengths == 0 ? .nan : max(-1, min(1, product / lengths))
    }

    private static func centred(_ x: [Double]) -> [Double] {
        let mean = x.reduce(0, +) / Double(x.count)
        return x.map { $0 - mean }
    }

    private static func length(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    /// Places in order from 1; equals share the mean of theirs.
    private static func ranks(_ x: [Double]) -> [Double] {
        let order = x.indices.sorted { x[$0] < x[$1] }
        var ranks = Array(repeating: 0.0, count: x.count)
        var first = 0
        while first < order.count {
            var end = first + 1
            while end < order.count, x[order[end]] == x[order[first]] { end += 1 }
            for place in first..<end { ranks[order[place]] = Double(first + end + 1) / 2 }
            first = end
        }
        return ranks
    }
}
