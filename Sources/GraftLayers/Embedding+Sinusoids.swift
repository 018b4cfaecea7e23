import CGraftKernels
import Glibc
import GraftTensor

extension Embedding {
    /// Positions that no checkpoint needs to have (Vaswani et al. 2017, section 3.5): table
    /// [rows, width], the sines first, then the cosines.
    ///
    ///     table[i, j] = sin(i / 10000^(2 j / width))      and behind the sines the same of cos
    package static func sinusoids(rows: Int, width: Int) throws(GraftError) -> Memory {
        let table = try Memory(byteCount: rows * width * 4)
        let sineCount = (width + 1) / 2
        let divisors = (0..<sineCount).map { pow(10000, 2 * Double($0) / Double(width)) }
        for row in 0..<rows {
            let numbers = table.floats(from: row * width)
            for column in 0..<width {
                let isSine = column < sineCount
                let angle = Double(row) / divisors[isSine ? column : column - sineCount]
                numbers[column] = Float(isSine ? sin(angle) : cos(angle))
            }
        }
        return table
    }

    /// A table that was made.
    package convenience init(_ table: Memory, rowCount: Int, width: Int, site: Int) {
        self.init(
            table: UnsafeRawPointer(table.base), type: gk_type(GK_FLOAT32), rowCount: rowCount, width: width,
            site: site, owner: table)
    }
}
