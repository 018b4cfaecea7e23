/// Longest common subsequences of a first text with a second: the lengths for each beginning of the
/// first and of the second, as rows of bits, which are 0 where a length is one more than that of a
/// beginning of the second with a token less (Hyyrö 2004).
struct CommonSubsequences {
    private let first: [UInt32]
    private let second: [UInt32]
    private let wordCount: Int
    /// Of each beginning of the first, none included; only the last where places are not asked for.
    private var rows: [[UInt64]]

    init(_ first: [UInt32], _ second: [UInt32], keepsRows: Bool) {
        (self.first, self.second) = (first, second)
        wordCount = (second.count + 63) / 64
        var masks: [UInt32: [UInt64]] = [:]
        for (place, token) in second.enumerated() {
            masks[token, default: Array(repeating: 0, count: wordCount)][place / 64] |= 1 << (place % 64)
        }
        var row = Array(repeating: UInt64.max, count: wordCount)
        rows = [row]
        for token in first {
            if let mask = masks[token] {
                var carry = false
                for word in row.indices {
                    let both = row[word] & mask[word]
                    let (sum, overflow) = row[word].addingReportingOverflow(both)
                    let (whole, more) = sum.addingReportingOverflow(carry ? 1 : 0)
                    row[word] = whole | row[word] & ~mask[word]
                    carry = overflow || more
                }
            }
            if keepsRows { rows.append(row) } else { rows[0] = row }
        }
    }

    /// Bytes that it takes of texts of so many tokens.
    static func byteCount(_ first: Int, _ second: Int, keepsRows: Bool) -> Int {
        (second + (keepsRows ? first : 1) + 1) * (second / 8 + 64)
    }

    /// Of both texts.
    var length: Int { length(rows.count - 1, second.count) }

    private func length(_ row: Int, _ column: Int) -> Int {
        var ones = 0
        for word in 0..<column / 64 { ones += rows[row][word].nonzeroBitCount }
        if column % 64 > 0 { ones += (rows[row][column / 64] & (1 << (column % 64) - 1)).nonzeroBitCount }
        return column - ones
    }

    /// The places in the first text of one of the longest: of several the one that rouge-score
    /// finds.
    var places: [Int] {
        var places: [Int] = []
        var (row, column) = (first.count, second.count)
        while row > 0, column > 0 {
            if first[row - 1] == second[column - 1] {
                places.append(row - 1)
                (row, column) = (row - 1, column - 1)
            } else if length(row, column - 1) > length(row - 1, column) {
                column -= 1
            } else {
                row -= 1
            }
        }
        return places
    }
}
