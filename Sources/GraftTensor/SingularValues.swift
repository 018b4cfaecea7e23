import CGraftKernels

/// The singular value decomposition W = U S Vᵀ of W [m, n], with k = min(m, n) values or the
/// largest so many.
package struct SingularValues {
    /// [m, k], of orthonormal columns.
    package let u: Matrix
    /// The values, from the largest: k numbers.
    package let s: UnsafeMutablePointer<Float>
    /// [k, n], of orthonormal rows.
    package let vt: Matrix
    /// What the three lie in; as long as they are used, it must be.
    package let memory: [Memory]

    package var count: Int { vt.rows }

    /// The part of rank r as a product: B A = U_r S_r V_rᵀ / d with A = √(S_r / d) V_rᵀ [r, n] and
    /// B = U_r √(S_r / d) [m, r]; or, transposed, that of Wᵀ, A [r, m] and B [n, r].
    package func split(
        rank: Int, dividedBy divisor: Float = 1, isTransposed: Bool = false, a: UnsafeMutablePointer<Float>,
        b: UnsafeMutablePointer<Float>
    ) {
        for index in 0..<rank {
            let root = (s[index] / divisor).squareRoot()
            for row in 0..<u.rows {
                let value = root * u.base[row * u.columns + index]
                if isTransposed { a[index * u.rows + row] = value } else { b[row * rank + index] = value }
            }
            for column in 0..<vt.columns {
                let value = root * vt.base[index * vt.columns + column]
                if isTransposed { b[column * rank + index] = value } else { a[index * vt.columns + column] = value }
            }
        }
    }

    /// Of a matrix without gaps between its rows, which is overwritten (LAPACK's `gesdd`).
    package init(overwriting w: Matrix) throws(GraftError) {
        let (m, n) = (w.rows, w.columns)
        let k = min(m, n)
        guard k > 0, max(m, n) <= Int32.max, 4 * k * k + 7 * k < Int32.max else {
            throw GraftError(.unsupported, "singular values of a matrix [\(m), \(n)]: it is empty or too large")
        }
        guard gk_first_not_finite(Int64(w.count), w.base) < 0 else {
            throw GraftError(.diverged, "singular values of a matrix with numbers that are not finite")
        }
        let left = try Memory(byteCount: m * k * 4)
        let values = try Memory(byteCount: k * 4)
        let right = try Memory(byteCount: k * n * 4)
        let integers = try Memory(byteCount: 8 * k * 4)
        // Rows of W are columns to LAPACK: it decomposes Wᵀ = V S Uᵀ, and finds Vᵀ where it expects
        // its U.
        var status: Int32 = 0
        try Lapack.use { lapack throws(GraftError) in
            var (columns, rows, rank) = (Int32(n), Int32(m), Int32(k))
            func decompose(_ work: UnsafeMutablePointer<Float>, count: Int32) {
                var count = count
                lapack.sgesdd(
                    "S", &columns, &rows, w.base, &columns, values.floats(), right.floats(), &columns, left.floats(),
                    &rank, work, &count, integers.base.assumingMemoryBound(to: Int32.self), &status, 1)
            }
            var wanted: Float = 0
            decompose(&wanted, count: -1)
            // A float rounds what it says of large matrices.
            let count = min(max(Int(wanted.nextUp.nextUp), 4 * k * k + 7 * k), Int(Int32.max))
            let work = try Memory(byteCount: count * 4)
            decompose(work.floats(), count: Int32(count))
        }
        guard status == 0 else {
            throw GraftError(.diverged, "the singular values of a matrix [\(m), \(n)] were not found (info \(status))")
        }
        u = Matrix(left.floats(), rows: m, columns: k)
        s = values.floats()
        vt = Matrix(right.floats(), rows: k, columns: n)
        memory = [left, values, right]
    }

    /// The largest `rank` values by subspace iteration from a random start (Halko et al. 2011,
    /// algorithm 5.1), as torch's `svd_lowrank` does it. Needs far less time than all values of a
    /// large matrix.
    package init(
        of w: Matrix, rank: Int, iterations: Int, random: RandomNumbers, team: Team
    ) throws(GraftError) {
        // The tall way round: Q spans the larger side.
        let isWide = w.rows < w.columns
        let (tall, narrow) = (max(w.rows, w.columns), min(w.rows, w.columns))
        var alive: [Memory] = []
        defer { withExtendedLifetime(alive) {} }
        func matrix(_ rows: Int, _ columns: Int) throws(GraftError) -> Matrix {
            let memory = try Memory(byteCount: rows * columns * 4)
            alive.append(memory)
            return Matrix(memory.floats(), rows: rows, columns: columns)
        }
        func orthonormal(_ x: Matrix) throws(GraftError) -> Matrix {
            let values = try SingularValues(overwriting: x)
            alive += values.memory
            return values.u
        }
        func times(_ x: Matrix, transposed: Bool = false) throws(GraftError) -> Matrix {
            let y = try matrix(transposed ? narrow : tall, x.columns)
            team.multiply(w, x, transposeA: transposed != isWide, into: y)
            return y
        }
        var random = random
        let start = try matrix(narrow, rank)
        for index in 0..<start.count { start.base[index] = random.normal() }
        var q = try orthonormal(times(start))
        for _ in 0..<iterations { q = try orthonormal(times(orthonormal(times(q, transposed: true)))) }
        // What is left is small: W Q, or Qᵀ W.
        let small = try isWide ? matrix(w.rows, rank) : matrix(rank, w.columns)
        if isWide { team.multiply(w, q, into: small) } else { team.multiply(q, w, transposeA: true, into: small) }
        let part = try SingularValues(overwriting: small)
        s = part.s
        u = isWide ? part.u : try matrix(w.rows, rank)
        vt = isWide ? try matrix(rank, w.columns) : part.vt
        if isWide {
            team.multiply(part.vt, q, transposeB: true, into: vt)
        } else {
            team.multiply(q, part.u, into: u)
        }
        memory = part.memory + alive
    }
}
