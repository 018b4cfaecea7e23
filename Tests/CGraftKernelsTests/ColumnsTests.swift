import CGraftKernels
import Testing

extension Kernels {
    @Suite struct Columns {
        private static let shapes = [(0, 8), (1, 1), (3, 16), (7, 17), (65, 31), (150, 97), (301, 256)]

        @Test("Columns are scaled within wider rows, and the gradient of a scale is the sum of products")
        func scaleAndProducts() {
            for (m, h) in Self.shapes {
                let stride = h + 5
                let (x, dy) = (randomFloats(m * stride, seed: 1), randomFloats(m * h, seed: 2))
                let (scale, start) = (randomFloats(h, seed: 3), randomFloats(h, seed: 4))
                var scaled = x
                var sums = start.map(Double.init)
                for row in 0..<m {
                    for j in 0..<h {
                        scaled[row * stride + j] = x[row * stride + j] * scale[j]
                        sums[j] += Double(x[row * stride + j]) * Double(dy[row * h + j])
                    }
                }
                onEveryPath { path in
                    var y = x
                    y.withUnsafeMutableBufferPointer { y in
                        Team().run {
                            gk_scale_columns(
                                $0, Int64(m), Int64(h), y.baseAddress, Int64(stride), scale, y.baseAddress,
                                Int64(stride))
                        }
                    }
                    #expect(y == scaled, "\(path), \(m) x \(h)")
                    func products(_ team: UnsafePointer<gk_team>) -> [Float] {
                        var out = start
                        gk_add_column_products(team, Int64(m), Int64(h), x, Int64(stride), dy, Int64(h), &out)
                        return out
                    }
                    expectClose(Team(1).run(products), sums, within: 1e-5, "\(path), \(m) x \(h)")
                    expectSameBitsOnAnyThreads("\(path), \(m) x \(h)", products)
                }
            }
        }

        @Test("The products of rows are their sums, whatever the path and the threads")
        func rowProducts() {
            for (m, h) in Self.shapes {
                let (x, y) = (randomFloats(m * h, seed: 7), randomFloats(m * h, seed: 8))
                let sums = (0..<m).map { row in
                    (0..<h).reduce(0.0) { $0 + Double(x[row * h + $1]) * Double(y[row * h + $1]) }
                }
                onEveryPath { path in
                    func products(_ team: UnsafePointer<gk_team>) -> [Float] {
                        var out = [Float](repeating: .nan, count: m)
                        gk_row_products(team, Int64(m), Int64(h), x, y, &out)
                        return out
                    }
                    expectClose(Team(1).run(products), sums, within: 1e-5, "\(path), \(m) x \(h)")
                    expectSameBitsOnAnyThreads("\(path), \(m) x \(h)", products)
                }
            }
        }

        @Test("Columns of a table are gathered, and gradients go back to all but the frozen one")
        func gatherAndScatter() {
            let columns = 40
            for (m, h) in Self.shapes {
                let (table, x) = (randomFloats(h * columns, seed: 5), randomFloats(m * h, seed: 6))
                let ids = (0..<m).map { Int32($0 * 7 % columns) }
                var gathered = [Float](repeating: .nan, count: m * h)
                Team().run {
                    gk_gather_columns($0, Int64(m), Int64(h), ids, table, Int64(columns), &gathered)
                }
                var sums = table
                for row in 0..<m {
                    for i in 0..<h {
                        #expect(gathered[row * h + i] == table[i * columns + Int(ids[row])])
                        if ids[row] != 7 { sums[i * columns + Int(ids[row])] += x[row * h + i] }
                    }
                }
                expectSameBitsOnAnyThreads("\(m) x \(h)") { team in
                    var out = table
                    gk_scatter_add_columns(team, Int64(m), Int64(h), ids, 7, x, &out, Int64(columns))
                    #expect(out == sums)
                    return out
                }
            }
        }
    }
}
