import CGraftKernels
import Testing

extension Kernels {
    @Suite struct Gemm {
        /// c = beta c + alpha op(a) op(b), on stored matrices that op undoes.
        func multiply(
            _ a: Matrix, _ b: Matrix, transposeA: Bool, transposeB: Bool, alpha: Float = 1, beta: Float = 0,
            into c: inout Matrix, threads: Int = 1
        ) {
            let storedA = transposeA ? a.transposed : a
            let storedB = transposeB ? b.transposed : b
            Team(threads).run { team in
                gk_gemm(
                    team, transposeA, transposeB, Int64(a.rows), Int64(b.columns), Int64(a.columns), alpha,
                    storedA.storage, Int64(storedA.stride), storedB.storage, Int64(storedB.stride), beta, &c.storage,
                    Int64(c.stride))
            }
        }

        static let shapes: [(m: Int, n: Int, k: Int)] = [
            (1, 1, 1), (8, 8, 8), (1, 33, 70), (31, 1, 7), (2, 16, 17), (47, 8, 97), (97, 8, 47), (53, 47, 3),
            (15, 97, 31), (64, 33, 64), (41, 20, 401), (5, 131, 29), (131, 5, 29),
        ]

        @Test("All four transpositions are right on odd sizes; what c held does not matter when beta is 0")
        func oddSizes() {
            for shape in Self.shapes {
                let a = Matrix.random(shape.m, shape.k, seed: 1)
                let b = Matrix.random(shape.k, shape.n, seed: 2)
                onEveryPath { path in
                    for transposition in 0..<4 {
                        var c = Matrix(shape.m, shape.n, gap: 3)
                        multiply(a, b, transposeA: transposition & 1 != 0, transposeB: transposition & 2 != 0, into: &c)
                        expectProduct(c, of: a, b, "\(path), \(shape), transposition \(transposition)")
                    }
                }
            }
        }

        @Test("alpha and beta scale the product and what c held")
        func factors() {
            let cases: [(alpha: Float, beta: Float)] = [(1, 1), (2, 1), (-0.5, 0), (3, 0.25), (0, 2), (0, 0), (0, 1)]
            for (m, n, k) in [(19, 40, 33), (70, 8, 390), (3, 64, 9)] {
                let a = Matrix.random(m, k, seed: 3)
                let b = Matrix.random(k, n, seed: 4)
                let old = Matrix.random(m, n, gap: 2, seed: 5)
                for (alpha, beta) in cases {
                    let scaled = Matrix(k, n) { alpha * b[$0, $1] }
                    onEveryPath { path in
                        for transposition in 0..<4 {
                            var c = old
                            multiply(
                                a, b, transposeA: transposition & 1 != 0, transposeB: transposition & 2 != 0,
                                alpha: alpha, beta: beta, into: &c)
                            expectProduct(
                                c, of: a, scaled, from: { beta * old[$0, $1] },
                                "\(path), \(m) × \(n) × \(k), \(alpha), \(beta), transposition \(transposition)")
                        }
                    }
                }
            }
        }

        @Test("alpha 0 reads neither operand")
        func alphaZero() {
            onEveryPath { path in
                var c = Matrix(4, 5)
                multiply(
                    Matrix(4, 3), Matrix(3, 5), transposeA: false, transposeB: false, alpha: 0, beta: 0, into: &c)
                #expect(c.isZero, "\(path)")
            }
        }

        @Test("Operands with gaps between rows, and products of many blocks, are right")
        func manyBlocks() {
            for (m, n, k) in [(500, 8, 800), (8, 830, 800), (500, 830, 9), (300, 830, 401)] {
                let a = Matrix.random(m, k, gap: 7, seed: 6)
                let b = Matrix.random(k, n, gap: 9, seed: 7)
                onEveryPath { path in
                    for (transposeA, transposeB) in [(false, false), (true, false), (false, true), (true, true)] {
                        let storedA = transposeA ? Matrix(k, m, gap: 7) { a[$1, $0] } : a
                        let storedB = transposeB ? Matrix(n, k, gap: 9) { b[$1, $0] } : b
                        var c = Matrix(m, n, gap: 1)
                        Team(3).run { team in
                            gk_gemm(
                                team, transposeA, transposeB, Int64(m), Int64(n), Int64(k), 1, storedA.storage,
                                Int64(storedA.stride), storedB.storage, Int64(storedB.stride), 0, &c.storage,
                                Int64(c.stride))
                        }
                        expectProduct(
                            c, of: a, b, at: someElements(m, n),
                            "\(path), \(m) × \(n) × \(k), \(transposeA), \(transposeB)")
                    }
                }
            }
        }

        @Test("Nothing in is nothing out: no rows, no columns, no depth")
        func nothing() {
            onEveryPath { path in
                var c = Matrix(2, 3)
                multiply(Matrix(0, 4), Matrix(4, 3), transposeA: false, transposeB: true, into: &c)
                multiply(Matrix(2, 4), Matrix(4, 0), transposeA: true, transposeB: false, into: &c)
                #expect(c.isUntouched, "\(path)")
                multiply(Matrix(2, 0), Matrix(0, 3), transposeA: true, transposeB: false, into: &c)
                #expect(c.isZero, "\(path)")
            }
        }

        @Test("Bits depend neither on threads, nor on transpositions, nor on the other rows")
        func sameBits() {
            for (m, n, k) in [(2048, 8, 768), (700, 768, 8), (8, 300, 1000), (768, 8, 1000), (260, 190, 200)] {
                let a = Matrix.random(m, k, seed: 8)
                let b = Matrix.random(k, n, seed: 9)
                onEveryPath { path in
                    var c = Matrix(m, n)
                    multiply(a, b, transposeA: false, transposeB: false, alpha: 0.3, into: &c)
                    for threads in [1, 2, 3, 8] {
                        for transposition in 0..<4 where threads == 3 || transposition == 1 {
                            var other = Matrix(m, n)
                            multiply(
                                a, b, transposeA: transposition & 1 != 0, transposeB: transposition & 2 != 0,
                                alpha: 0.3, into: &other, threads: threads)
                            #expect(
                                c.storage == other.storage,
                                "\(path), \(m) × \(n) × \(k), \(threads) threads, transposition \(transposition)")
                        }
                    }
                    for row in [0, m / 2, m - 1] {
                        var alone = Matrix(1, n)
                        multiply(
                            a.row(row), b, transposeA: false, transposeB: true, alpha: 0.3, into: &alone, threads: 2)
                        #expect(alone.hasSameBits(as: c.row(row)), "\(path), \(m) × \(n) × \(k), row \(row)")
                    }
                }
            }
        }
    }

    @Suite struct ColumnSums {
        @Test("Column sums are added to what is there, on odd sizes and with any number of threads")
        func columnSums() {
            for (m, n) in [(0, 5), (1, 1), (3, 17), (4, 0), (5, 16), (127, 33), (1031, 97)] {
                let x = Matrix.random(m, n, gap: 3, seed: 1)
                let old = Matrix.random(1, n, seed: 2).storage
                onEveryPath { path in
                    var first: [Float]?
                    for threads in [1, 2, 3, 8] {
                        var out = old + [.nan]
                        Team(threads).run {
                            gk_add_column_sums($0, Int64(m), Int64(n), x.storage, Int64(x.stride), &out)
                        }
                        #expect(out.last?.isNaN == true)
                        out.removeLast()
                        for j in 0..<n {
                            var (sum, magnitude) = (Double(old[j]), Double(old[j].magnitude))
                            for i in 0..<m {
                                sum += Double(x[i, j])
                                magnitude += Double(x[i, j].magnitude)
                            }
                            let error = (Double(out[j]) - sum).magnitude
                            #expect(error <= magnitude * Double(m) * 0x1p-24, "\(path), \(m) × \(n), column \(j)")
                        }
                        #expect(out == first ?? out, "\(path), \(m) × \(n), \(threads) threads")
                        first = out
                    }
                }
            }
        }
    }
}
