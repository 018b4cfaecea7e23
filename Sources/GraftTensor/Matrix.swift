/// A view of float32 numbers, [rows, columns], with `stride` elements from one row to the next. It
/// owns nothing.
package struct Matrix: BitwiseCopyable, @unchecked Sendable {
    package let base: UnsafeMutablePointer<Float>
    package let rows: Int
    package let columns: Int
    package let stride: Int

    package init(_ base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
        self.base = base
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? columns
    }

    package var count: Int { rows * columns }

    /// Rows `first ..< first + count`.
    package func rows(from first: Int, count: Int) -> Matrix {
        Matrix(base + first * stride, rows: count, columns: columns, stride: stride)
    }

    /// Columns `first ..< first + count` of every row.
    package func columns(from first: Int, count: Int) -> Matrix {
        Matrix(base + first, rows: rows, columns: count, stride: stride)
    }

    package func copy(to other: Matrix) {
        for row in 0..<rows { (other.base + row * other.stride).update(from: base + row * stride, count: columns) }
    }

    /// Makes every element 0.
    package func clear() {
        for row in 0..<rows { (base + row * stride).update(repeating: 0, count: columns) }
    }
}
