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
}
