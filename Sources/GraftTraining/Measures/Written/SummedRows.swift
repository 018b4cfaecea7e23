/// Whole numbers of each row, of the sums of which something is measured.
struct SummedRows: Sendable {
    let width: Int
    /// [rows, width].
    private var numbers: [Int32] = []

    init(width: Int) { self.width = width }

    var rowCount: Int { numbers.count / width }

    mutating func add(_ row: [Int]) { numbers += row.map(Int32.init(clamping:)) }

    func sums(_ repeats: Repeats) -> [Double] {
        var sums = Array(repeating: 0.0, count: width)
        for row in 0..<rowCount {
            let weight = repeats[row]
            if weight == 0 { continue }
            for column in 0..<width { sums[column] += weight * Double(numbers[row * width + column]) }
        }
        return sums
    }

    func followed(by other: SummedRows) -> SummedRows {
        var both = self
        both.numbers += other.numbers
        return both
    }
}
