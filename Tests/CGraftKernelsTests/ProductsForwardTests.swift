import CGraftKernels
import Testing

extension Kernels {
    @Suite struct ProductForward {
        /// Rows, outputs, inputs: nothing, one, around a vector's, a panel's and a tile's size,
        /// primes.
        static let shapes: [(m: Int, n: Int, k: Int)] = [
            (1, 1, 1), (1, 31, 17), (2, 32, 33), (3, 33, 32), (13, 1, 97), (14, 15, 16), (15, 16, 15), (16, 17, 1),
            (17, 97, 64), (29, 64, 31), (31, 65, 2), (43, 7, 129), (1, 128, 101), (7, 47, 7),
        ]

        @Test("x Wᵀ + bias is right on odd sizes, with gaps between rows")
        func oddSizes() {
            for shape in Self.shapes {
                let x = Matrix.random(shape.m, shape.k, gap: 3, seed: 1)
                let weights = Matrix.random(shape.n, shape.k, gap: 1, seed: 2)
                let bias = Matrix.random(1, shape.n, seed: 3).storage
                for type in Types.packed {
                    let (left, right) = (x.rounded(to: type), weights.rounded(to: type).transposed)
                    onEveryPath { path in
                        let packed = Packed(type, weights)
                        var y = Matrix(shape.m, shape.n, gap: 5)
                        packed.multiply(x, bias: bias, into: &y)
                        expectProduct(y, of: left, right, from: { bias[$1] }, "\(path), type \(type), \(shape)")
                        packed.multiply(x, into: &y)
                        expectProduct(y, of: left, right, "\(path), type \(type), \(shape), no bias")
                    }
                }
            }
        }

        @Test("A product of many blocks is right")
        func manyBlocks() {
            let (m, n, k) = (461, 163, 1601)
            let x = Matrix.random(m, k, seed: 4)
            let weights = Matrix.random(n, k, seed: 5)
            let bias = Matrix.random(1, n, seed: 6).storage
            for type in Types.packed {
                let (left, right) = (x.rounded(to: type), weights.rounded(to: type).transposed)
                onEveryPath { path in
                    var y = Matrix(m, n, gap: 2)
                    Packed(type, weights).multiply(x, bias: bias, into: &y, threads: 3)
                    expectProduct(
                        y, of: left, right, from: { bias[$1] }, at: someElements(m, n), "\(path), type \(type)")
                }
            }
        }

        @Test("No rows and no outputs do nothing; no inputs leave the bias")
        func nothing() {
            onEveryPath { path in
                for type in Types.packed {
                    var y = Matrix(3, 5)
                    Packed(type, Matrix(5, 4) { _, _ in 1 }).multiply(Matrix(0, 4), into: &y)
                    Packed(type, Matrix(0, 4)).multiply(Matrix(3, 4) { _, _ in 1 }, into: &y)
                    #expect(y.isUntouched, "\(path), type \(type)")
                    Packed(type, Matrix(5, 0)).multiply(Matrix(3, 0), bias: [1, 2, 3, 4, 5], into: &y)
                    #expect(y.storage == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5], "\(path), type \(type)")
                    Packed(type, Matrix(5, 0)).multiply(Matrix(3, 0), into: &y)
                    #expect(y.isZero, "\(path), type \(type)")
                }
            }
        }

        @Test("A missing epilogue is a plain product")
        func noEpilogue() {
            let x = Matrix.random(5, 40, seed: 7)
            let weights = Matrix.random(35, 40, seed: 8)
            onEveryPath { path in
                let packed = Packed(Types.float32, weights)
                var (expected, y) = (Matrix(5, 35), Matrix(5, 35))
                packed.multiply(x, into: &expected)
                Team().run {
                    gk_product($0, Types.float32, 35, 40, packed.memory, 5, x.storage, 40, nil, &y.storage, 35)
                }
                #expect(y.hasSameBits(as: expected), "\(path)")
            }
        }

        @Test("The epilogue keeps the sums and activates them as gk_activation_forward does, to the bit")
        func epilogue() {
            let (m, n, k) = (37, 71, 450)
            let x = Matrix.random(m, k, seed: 9)
            let weights = Matrix.random(n, k, seed: 10)
            let bias = Matrix.random(1, n, seed: 11).storage
            let activations = [GK_IDENTITY, GK_GELU, GK_GELU_TANH, GK_RELU, GK_SILU, GK_TANH]
            onEveryPath { path in
                for type in Types.packed {
                    let packed = Packed(type, weights)
                    var sums = Matrix(m, n, gap: 4)
                    packed.multiply(x, bias: bias, into: &sums)
                    for activation in activations.map({ gk_activation($0) }) {
                        let name = "\(path), type \(type), activation \(activation)"
                        var expected = Matrix(m, n) { sums[$0, $1] }
                        Team().run {
                            gk_activation_forward($0, activation, Int64(m * n), expected.storage, &expected.storage)
                        }
                        var (kept, y, alone) = (Matrix(m, n, gap: 4), Matrix(m, n, gap: 4), Matrix(m, n, gap: 4))
                        Team(2).run { team in
                            bias.withUnsafeBufferPointer { bias in
                                kept.storage.withUnsafeMutableBufferPointer { kept in
                                    var epilogue = gk_epilogue(
                                        bias: bias.baseAddress, before_activation: kept.baseAddress,
                                        activation: activation, reserved: 0)
                                    gk_product(
                                        team, type, Int64(n), Int64(k), packed.memory, Int64(m), x.storage, Int64(k),
                                        &epilogue, &y.storage, Int64(n + 4))
                                    epilogue.before_activation = nil
                                    gk_product(
                                        team, type, Int64(n), Int64(k), packed.memory, Int64(m), x.storage, Int64(k),
                                        &epilogue, &alone.storage, Int64(n + 4))
                                }
                            }
                        }
                        #expect(kept.hasSameBits(as: sums) && kept.gapsAreIntact, "\(name): kept sums")
                        #expect(y.hasSameBits(as: expected) && y.gapsAreIntact, "\(name): beside kept sums")
                        #expect(alone.hasSameBits(as: expected) && alone.gapsAreIntact, "\(name): in place")
                    }
                }
            }
        }

        @Test("A row has the same bits alone, in any batch, and with any number of threads")
        func sameBits() {
            let (m, n, k) = (2048, 96, 800)
            let x = Matrix.random(m, k, seed: 12)
            let weights = Matrix.random(n, k, seed: 13)
            let bias = Matrix.random(1, n, seed: 14).storage
            onEveryPath { path in
                for type in Types.packed {
                    let packed = Packed(type, weights)
                    var y = Matrix(m, n)
                    packed.multiply(x, bias: bias, into: &y)
                    for threads in [2, 3, 8] {
                        var other = Matrix(m, n)
                        packed.multiply(x, bias: bias, into: &other, threads: threads)
                        #expect(y.storage == other.storage, "\(path), type \(type), \(threads) threads")
                    }
                    for count in [1, 2, 5, 13, 14, 15, 33] {
                        let first = 1024 - count
                        let part = Matrix(count, k) { x[first + $0, $1] }
                        for threads in [1, 2] {
                            var rows = Matrix(count, n)
                            packed.multiply(part, bias: bias, into: &rows, threads: threads)
                            #expect(
                                rows.storage == Array(y.storage[first * n..<1024 * n]),
                                "\(path), type \(type), \(count) rows, \(threads) threads")
                        }
                    }
                }
            }
        }

        @Test("NaN and infinity reach exactly the outputs they feed")
        func notNumbers() {
            onEveryPath { path in
                for type in Types.packed {
                    var weights = Matrix(40, 20) { _, _ in 1 }
                    weights[3, 4] = .infinity
                    var x = Matrix(18, 20) { _, _ in 1 }
                    x[5, 6] = .nan
                    var y = Matrix(18, 40)
                    Packed(type, weights).multiply(x, into: &y)
                    for i in 0..<18 {
                        for j in 0..<40 {
                            let value = y[i, j]
                            #expect(
                                i == 5 ? value.isNaN : j == 3 ? value == .infinity : value == 20,
                                "\(path), type \(type), (\(i), \(j)) is \(value)")
                        }
                    }
                }
            }
        }
    }
}
