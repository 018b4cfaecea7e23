import CGraftKernels
import Testing

extension Kernels {
    @Suite struct Pack {
        @Test("What is packed is read back: exactly in float32, rounded to nearest even in bfloat16")
        func roundTrip() {
            for (n, k) in [(1, 1), (5, 3), (32, 16), (33, 129), (64, 130), (97, 257)] {
                let weights = Matrix.random(n, k, gap: 2, seed: 1)
                for type in Types.packed {
                    onEveryPath { path in
                        let packed = Packed(type, weights)
                        var back = Matrix(n, k)
                        gk_unpack(type, Int64(n), Int64(k), packed.memory, 0, Int64(n), &back.storage)
                        #expect(back.hasSameBits(as: weights.rounded(to: type)), "\(path), type \(type), \(n) × \(k)")
                        let first = n / 3
                        var some = Matrix(n - first, k)
                        gk_unpack(
                            type, Int64(n), Int64(k), packed.memory, Int64(first), Int64(n - first), &some.storage)
                        #expect(
                            some.hasSameBits(as: Matrix(n - first, k) { back[first + $0, $1] }), "\(path) \(n) × \(k)")
                    }
                }
            }
        }

        @Test("Rows packed piece by piece, from any storage and any path, make the same bytes")
        func pieces() {
            let (n, k) = (101, 67)
            let weights = Matrix.random(n, k, seed: 2)
            for type in Types.packed {
                let whole = Packed(type, weights)
                onEveryPath { path in
                    let packed = Packed(type, zeroed: n, k)
                    var row = 0
                    for count in [7, 1, 30, 40, 23] {
                        let rows = Array(weights.storage[row * k..<(row + count) * k])
                        packed.pack(row, count, rows, Types.float32, rowStride: k)
                        row += count
                    }
                    #expect(row == n)
                    #expect(packed.bytes.elementsEqual(whole.bytes), "\(path), type \(type), pieces")

                    let transposed = Packed(type, zeroed: n, k)
                    transposed.pack(0, n, weights.transposed.storage, Types.float32, rowStride: 1, columnStride: n)
                    #expect(transposed.bytes.elementsEqual(whole.bytes), "\(path), type \(type), transposed")
                }
            }
        }

        @Test("Threads make the same bytes, whichever rows they begin with")
        func threads() {
            let (n, k) = (331, 259)
            let weights = Matrix.random(n, k, seed: 4)
            for type in Types.packed {
                let whole = Packed(type, weights)
                for threads in [2, 3, 8] {
                    let packed = Packed(type, zeroed: n, k)
                    packed.pack(0, 45, weights.storage, Types.float32, rowStride: k, threads: threads)
                    packed.pack(
                        45, n - 45, Array(weights.storage[(45 * k)...]), Types.float32, rowStride: k, threads: threads)
                    #expect(packed.bytes.elementsEqual(whole.bytes), "type \(type), \(threads) threads")
                }
            }
        }

        @Test("Weights stored as bfloat16 or float16 pack as their float32 values")
        func storedTypes() {
            let (n, k) = (45, 150)
            let numbers = Matrix.random(n, k, seed: 3).storage
            for source in [Types.bfloat16, Types.float16] {
                var stored = [UInt16](repeating: 0, count: n * k)
                gk_from_float32(Int64(n * k), numbers, source, &stored)
                var values = Matrix(n, k)
                gk_to_float32(Int64(n * k), stored, source, &values.storage)
                let transposed = (0..<n * k).map { stored[$0 % n * k + $0 / n] }
                for type in Types.packed {
                    onEveryPath { path in
                        let expected = Packed(type, values)
                        let plain = Packed(type, zeroed: n, k)
                        plain.pack(0, n, stored, source, rowStride: k)
                        #expect(plain.bytes.elementsEqual(expected.bytes), "\(path), \(source) to \(type)")
                        let turned = Packed(type, zeroed: n, k)
                        turned.pack(0, n, transposed, source, rowStride: 1, columnStride: n)
                        #expect(turned.bytes.elementsEqual(expected.bytes), "\(path), \(source) to \(type), transposed")
                    }
                }
            }
        }

        @Test("Packed weights take the bytes of whole panels of 32 rows")
        func size() {
            #expect(gk_packed_size(Types.float32, 0, 10) == 0)
            #expect(gk_packed_size(Types.float32, 1, 10) == 32 * 10 * 4)
            #expect(gk_packed_size(Types.float32, 33, 10) == 64 * 10 * 4)
            #expect(gk_packed_size(Types.bfloat16, 32, 10) == 32 * 10 * 2)
            #expect(gk_packed_size(Types.bfloat16, 32, 11) == 32 * 12 * 2)
        }
    }
}
