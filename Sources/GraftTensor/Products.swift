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

    /// y += scale · x.
    package func add(_ x: Matrix, scale: Float = 1, to y: Matrix) {
        guard x.stride != x.columns || y.stride != y.columns else {
            return gk_add(kernel, Int64(x.count), scale, x.base, y.base)
        }
        for row in 0..<x.rows {
            gk_add(kernel, Int64(x.columns), scale, x.base + row * x.stride, y.base + row * y.stride)
        }
    }

    /// y += weight · (x - y).
    package func blend(_ x: Matrix, weight: Float, into y: Matrix) {
        gk_blend(
            kernel, Int64(y.rows), Int64(y.columns), weight, x.base, Int64(x.stride), y.base, Int64(y.stride))
    }

    /// c += alpha · row, for each row of c; row [1, c.columns].
    package func addToRows(_ row: Matrix, scale alpha: Float = 1, of c: Matrix) {
        var one: Float = 1
        withUnsafeMutablePointer(to: &one) { one in
            multiply(Matrix(one, rows: c.rows, columns: 1, stride: 0), row, scale: alpha, adding: 1, into: c)
        }
    }
}
