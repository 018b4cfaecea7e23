import Glibc

/// True labels of the rows of an evaluation, and the numbers that each label was given: as many as
/// there are labels, or one, which speaks for label 1 against label 0.
struct Scores: Sendable {
    let width: Int
    /// A label for each row, or, where a row may have any number, 0 or 1 for each of them.
    private(set) var truths: [Int32] = []
    private(set) var numbers: [Double] = []
    private var hasSets = false
    var weights = Weights()
    /// By column, found once for all resamples.
    private var orders: [Order] = []

    /// Rows in the order of a column's numbers, with what a walk along them asks of each: so it
    /// reads nothing else, which would be all over memory.
    private struct Order: Sendable {
        let rows: [Int32]
        let marks: [UInt8]

        static let isTrue: UInt8 = 1
        /// Of a row behind which numbers are larger.
        static let isLastOfEquals: UInt8 = 2
    }

    /// Labels of heads whose numbers an evaluation keeps.
    static let maximumLabels = 100

    init(width: Int) { self.width = width }

    var rowCount: Int { width == 0 ? 0 : numbers.count / width }
    /// Whether each label is measured by itself, and the mean of that.
    var isMacro: Bool { hasSets || width > 2 }

    mutating func reserve(_ count: Int) {
        truths.reserveCapacity(count)
        numbers.reserveCapacity(count * width)
    }

    mutating func add(truth: Int32, numbers own: some Sequence<Double>) {
        truths.append(truth)
        numbers.append(contentsOf: own)
    }

    /// Of a row that may have any number of labels.
    mutating func add(isTrue: some Sequence<Int32>, numbers own: some Sequence<Double>) {
        hasSets = true
        truths.append(contentsOf: isTrue)
        numbers.append(contentsOf: own)
    }

    @inline(__always)
    private func isTrue(_ row: Int, _ column: Int) -> Bool {
        hasSets ? truths[row * width + column] == 1 : truths[row] == (width == 1 ? 1 : Int32(column))
    }

    /// The numbers of label 1, of two labels.
    var positiveColumn: Int { width == 2 ? 1 : 0 }

    mutating func prepare() {
        if orders.isEmpty { orders = (0..<width).map(order) }
    }

    private func order(_ column: Int) -> Order {
        let rows = ascendingOrder(count: rowCount) { numbers[$0 * width + column] }
        var next = Double.infinity
        var marks = Array(repeating: UInt8(0), count: rows.count)
        for place in rows.indices.reversed() {
            let row = Int(rows[place])
            let number = numbers[row * width + column]
            marks[place] = (isTrue(row, column) ? Order.isTrue : 0) | (number != next ? Order.isLastOfEquals : 0)
            next = number
        }
        return Order(rows: rows, marks: marks)
    }

    func followed(by other: Scores) -> Scores {
        var both = self
        both.truths += other.truths
        both.numbers += other.numbers
        both.weights.values += other.weights.values
        both.orders = []
        return both
    }

    // ---- Curves ----

    /// What is true and false among the rows whose numbers reach a threshold, by weight.
    struct Point {
        /// Of those that `points` gives.
        var threshold = Double.infinity
        var truePositives = 0.0
        var falsePositives = 0.0
    }

    /// Calls `body` with a point for each number that occurs in a column, the largest first, and a
    /// row that has it. Rows without weight are left out.
    @inline(__always)
    private func eachPoint(_ column: Int, _ repeats: Repeats, _ body: (_ point: Point, _ row: Int) -> Void) {
        let order = orders.isEmpty ? order(column) : orders[column]
        if repeats.counts.isEmpty, weights.values.isEmpty {
            eachPoint(order, { _ in 1 }, body)
        } else {
            eachPoint(order, { weights[$0] * repeats[$0] }, body)
        }
    }

    @inline(__always)
    private func eachPoint(_ order: Order, _ weight: (Int) -> Double, _ body: (_ point: Point, _ row: Int) -> Void) {
        var point = Point()
        // The latest row that counts.
        var latest = -1
        // Whether numbers are smaller from here on than that row's.
        var isBehind = false
        for place in order.rows.indices.reversed() {
            let (row, mark) = (Int(order.rows[place]), order.marks[place])
            if mark & Order.isLastOfEquals != 0 { isBehind = true }
            let weight = weight(row)
            if weight == 0 { continue }
            if isBehind, latest >= 0 { body(point, latest) }
            (latest, isBehind) = (row, false)
            if mark & Order.isTrue != 0 { point.truePositives += weight } else { point.falsePositives += weight }
        }
        if latest >= 0 { body(point, latest) }
    }

    /// All points of a column, behind which nothing is positive.
    func points(_ column: Int) -> [Point] {
        var points: [Point] = []
        eachPoint(column, Repeats()) { point, row in
            points.append(point)
            points[points.count - 1].threshold = numbers[row * width + column]
        }
        return points
    }

    /// The area below the curve of true against false positives; NaN where a label is true of no
    /// row or of all.
    private func rocArea(_ column: Int, _ repeats: Repeats) -> Double {
        var last = Point()
        var area = 0.0
        eachPoint(column, repeats) { point, _ in
            area += (point.falsePositives - last.falsePositives) * (point.truePositives + last.truePositives) / 2
            last = point
        }
        let all = last.truePositives * last.falsePositives
        return all == 0 ? .nan : area / all
    }

    /// The mean precision over the recall that each point adds; 0 where a label is true of no row.
    private func averagePrecision(_ column: Int, _ repeats: Repeats) -> Double {
        var last = Point()
        var sum = 0.0
        eachPoint(column, repeats) { point, _ in
            let gained = point.truePositives - last.truePositives
            sum += gained * point.truePositives / (point.truePositives + point.falsePositives)
            last = point
        }
        return last.truePositives == 0 ? 0 : sum / last.truePositives
    }

    /// The number from which on rows are best called positive, by F1, and that; the smallest of
    /// equally good ones.
    func bestThreshold(_ column: Int, _ repeats: Repeats) -> (threshold: Double, f1: Double) {
        var positives = 0.0
        for row in 0..<rowCount where isTrue(row, column) { positives += weights[row] * repeats[row] }
        var best = (threshold: Double.nan, f1: -1.0)
        eachPoint(column, repeats) { point, row in
            let f1 = 2 * point.truePositives / (point.truePositives + point.falsePositives + positives)
            if f1 >= best.f1 { best = (numbers[row * width + column], f1) }
        }
        return best.f1 < 0 ? (.nan, .nan) : best
    }

    // ---- Measures ----

    /// As scikit-learn 1.9 has them. Of more than two labels the mean over the labels for which
    /// they are defined, each against all others.
    static let measures = [
        Measure("roc_auc") { evidence in
            evidence.scores.mean(evidence.repeats) { $0.rocArea($1, evidence.repeats) }
        },
        Measure("average_precision") { evidence in
            evidence.scores.mean(evidence.repeats) { $0.averagePrecision($1, evidence.repeats) }
        },
    ]

    /// As scikit-learn 1.9 has them.
    static let probabilityMeasures = [
        Measure("log_loss", growsWithQuality: false) { $0.scores.meanLoss($0.repeats) { $0.logLoss($1) } },
        Measure("brier", growsWithQuality: false) { $0.scores.meanLoss($0.repeats) { $0.squaredError($1) } },
    ]

    /// What the best threshold on these rows gives: to be chosen on rows for validation.
    static let binaryMeasures = [
        Measure("best_f1") { $0.scores.best($0.repeats).f1 },
        Measure("best_f1_threshold") { $0.scores.best($0.repeats).threshold },
    ]

    private func best(_ repeats: Repeats) -> (threshold: Double, f1: Double) {
        rowCount == 0 || isMacro ? (.nan, .nan) : bestThreshold(positiveColumn, repeats)
    }

    private func mean(_ repeats: Repeats, _ area: (Scores, Int) -> Double) -> Double {
        guard rowCount > 0 else { return .nan }
        guard isMacro else { return area(self, positiveColumn) }
        let defined = (0..<width).map { area(self, $0) }.filter { !$0.isNaN }
        return defined.isEmpty ? .nan : defined.reduce(0, +) / Double(defined.count)
    }

    private func meanLoss(_ repeats: Repeats, _ loss: (Scores, Int) -> Double) -> Double {
        guard !hasSets else { return .nan }
        var (sum, total) = (0.0, 0.0)
        for row in 0..<rowCount {
            let weight = weights[row] * repeats[row]
            if weight == 0 { continue }
            sum += weight * loss(self, row)
            total += weight
        }
        return total == 0 ? .nan : sum / total
    }

    private func probability(_ row: Int, _ label: Int) -> Double {
        guard width == 1 else { return numbers[row * width + label] }
        return label == 1 ? numbers[row] : 1 - numbers[row]
    }

    /// Of a row's true label, no nearer to 0 than 2^-52.
    private func logLoss(_ row: Int) -> Double {
        -log(min(max(probability(row, Int(truths[row])), .ulpOfOne), 1 - .ulpOfOne))
    }

    /// Over the labels; half of it where there are two.
    private func squaredError(_ row: Int) -> Double {
        let labels = max(width, 2)
        let sum = (0..<labels).reduce(0.0) { sum, label in
            let difference = (Int(truths[row]) == label ? 1 : 0) - probability(row, label)
            return sum + difference * difference
        }
        return labels == 2 ? sum / 2 : sum
    }
}
