import CGraftKernels

extension Team {
    /// c = beta c + alpha op(a) op(b): small and trained matrices. op transposes what is stored.
    package func multiply(
        _ a: Matrix, _ b: Matrix, transposeA: Bool = false, transposeB: Bool = false, scale alpha: Float = 1,
        adding beta: Float = 0, into c: Matrix
    ) {
        gk_gemm(
            kernel, transposeA, transposeB, Int64(c.rows), Int64(c.columns), Int64(transposeA ? a.rows : a.columns),
            alpha, a.base, Int64(a.stride), b.base, Int64(b.stride), beta, c.base, Int64(c.stride))
    }

    /// c += alpha · row, for each row of c; row [1, c.columns].
    package func addToRows(_ row: Matrix, scale alpha: Float = 1, of c: Matrix) {
        var one: Float = 1
        withUnsafeMutablePointer(to: &one) { one in
            multiply(Matrix(one, rows: c.rows, columns: 1, stride: 0), row, scale: alpha, adding: 1, into: c)
        }
    }
}
