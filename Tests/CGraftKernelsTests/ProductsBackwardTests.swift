import CGraftKernels
import Testing

extension Kernels {
    @Suite struct ProductBackward {
        @Test("dy W is right on odd sizes, with gaps between rows, written and added")
        func oddSizes() {
            for shape in ProductForward.shapes {
                let dy = Matrix.random(shape.m, shape.n, gap: 2, seed: 1)
                let weights = Matrix.random(shape.n, shape.k, seed: 2)
                let old = Matrix.random(shape.m, shape.k, gap: 5, seed: 3)
                for type in Types.packed {
                    let (left, right) = (dy.rounded(to: type), weights.rounded(to: type))
                    onEveryPath { path in
                        let packed = Packed(type, weights)
                        var dx = Matrix(shape.m, shape.k, gap: 5)
                        packed.multiplyBackward(dy, into: &dx)
                        expectProduct(dx, of: left, right, "\(path), type \(type), \(shape)")
                        dx = old
                        packed.multiplyBackward(dy, accumulate: true, into: &dx)
                        expectProduct(
                            dx, of: left, right, from: { old[$0, $1] }, "\(path), type \(type), \(shape), added")
                    }
                }
            }
        }

        @Test("A gradient of many blocks is right")
        func manyBlocks() {
            let (m, n, k) = (467, 1601, 829)
            let dy = Matrix.random(m, n, seed: 4)
            let weights = Matrix.random(n, k, seed: 5)
            for type in Types.packed {
                let (left, right) = (dy.rounded(to: type), weights.rounded(to: type))
                onEveryPath { path in
                    var dx = Matrix(m, k, gap: 2)
                    Packed(type, weights).multiplyBackward(dy, into: &dx, threads: 3)
                    expectProduct(dx, of: left, right, at: someElements(m, k), "\(path), type \(type)")
                }
            }
        }

        @Test("No rows do nothing; no outputs give zero, or leave what is added to")
        func nothing() {
            onEveryPath { path in
                for type in Types.packed {
                    var dx = Matrix(3, 5)
                    Packed(type, Matrix(4, 5) { _, _ in 1 }).multiplyBackward(Matrix(0, 4), into: &dx)
                    #expect(dx.isUntouched, "\(path), type \(type)")
                    Packed(type, Matrix(0, 5)).multiplyBackward(Matrix(3, 0), into: &dx)
                    #expect(dx.isZero, "\(path), type \(type)")
                    dx = Matrix(3, 5) { Float($0 + $1) }
                    Packed(type, Matrix(0, 5)).multiplyBackward(Matrix(3, 0), accumulate: true, into: &dx)
                    #expect(dx.hasSameBits(as: Matrix(3, 5) { Float($0 + $1) }), "\(path), type \(type)")
                }
            }
        }

        @Test("A row's gradient has the same bits alone, in any batch, and with any number of threads")
        func sameBits() {
            let (m, n, k) = (600, 801, 97)
            let dy = Matrix.random(m, n, seed: 6)
            let weights = Matrix.random(n, k, seed: 7)
            onEveryPath { path in
                for type in Types.packed {
                    let packed = Packed(type, weights)
                    var dx = Matrix(m, k)
                    packed.multiplyBackward(dy, into: &dx)
                    for threads in [2, 3, 8] {
                        var other = Matrix(m, k)
                        packed.multiplyBackward(dy, into: &other, threads: threads)
                        #expect(dx.storage == other.storage, "\(path), type \(type), \(threads) threads")
                    }
                    for row in [0, 13, 14, 599] {
                        var alone = Matrix(1, k)
                        packed.multiplyBackward(dy.row(row), into: &alone, threads: 2)
                        #expect(alone.hasSameBits(as: dx.row(row)), "\(path), type \(type), row \(row)")
                    }
                }
            }
        }
    }
}
