import CGraftKernels
import Glibc
import Testing

extension Kernels {
    @Suite struct Rows {
        static let shapes = [(0, 8), (1, 1), (5, 15), (4, 16), (7, 17), (3, 521), (67, 97)]

        @Test("Gathering copies or adds rows of a table of any type")
        func gather() {
            for (m, h) in Self.shapes {
                let table = Matrix.random(11, h, seed: 1)
                let ids = (0..<m).map { Int32($0 * 7 % 11) }
                let start = Matrix.random(m, h, gap: 3, seed: 2)
                for type in [Types.float32, Types.bfloat16, Types.float16] {
                    var stored = [UInt8](repeating: 0, count: 11 * h * 4)
                    var seen = table.storage
                    gk_from_float32(Int64(11 * h), table.storage, type, &stored)
                    gk_to_float32(Int64(11 * h), stored, type, &seen)
                    for accumulates in [false, true] {
                        let expected = Matrix(m, h, gap: 3) { i, j in
                            (accumulates ? start[i, j] : 0) + seen[Int(ids[i]) * h + j]
                        }
                        onEveryPath { path in
                            for threads in [1, 3] {
                                var y = start
                                Team(threads).run {
                                    gk_gather_rows(
                                        $0, Int64(m), Int64(h), ids, stored, type, accumulates, &y.storage,
                                        Int64(y.stride))
                                }
                                #expect(
                                    y.hasSameBits(as: expected) && y.gapsAreIntact,
                                    "\(path), \(m) x \(h), type \(type), accumulates \(accumulates)")
                            }
                        }
                    }
                }
            }
        }

        @Test("Scattering adds rows in their order, so that repeated ids give the same bits on any threads")
        func scatter() {
            for (m, h) in Self.shapes + [(600, 100)] {
                let ids = (0..<m).map { Int32($0 * $0 % 5) }
                let x = Matrix.random(m, h, gap: 2, seed: 3)
                let start = randomFloats(5 * h, seed: 4)
                var expected = start
                for i in 0..<m { for j in 0..<h { expected[Int(ids[i]) * h + j] += x[i, j] } }
                onEveryPath { path in
                    for threads in [1, 2, 3, 8] {
                        var table = start
                        Team(threads).run {
                            gk_scatter_add_rows(
                                $0, Int64(m), Int64(h), ids, x.storage, Int64(x.stride), &table)
                        }
                        #expect(table == expected, "\(path), \(m) x \(h), \(threads) threads")
                    }
                }
            }
        }

        @Test(
            "Rows are pooled to their mean, scaled sum, placed mean and maximum; neighbours and threads change no bit")
        func pool() {
            let lengths = [1, 3, 64, 65, 200, 2]
            let starts = lengths.reduce(into: [Int64(0)]) { $0.append(($0.last ?? 0) + Int64($1)) }
            for h in [1, 15, 16, 97] {
                let x = randomFloats(Int(starts.last ?? 0) * h, seed: 9)
                for pool in [GK_POOL_MEAN, GK_POOL_ROOT, GK_POOL_PLACE, GK_POOL_LARGEST] {
                    let expected = lengths.indices.flatMap { row in
                        (0..<h).map { column -> Double in
                            let values = (Int(starts[row])..<Int(starts[row + 1])).map { Double(x[$0 * h + column]) }
                            let count = Double(values.count)
                            switch pool {
                            case GK_POOL_MEAN: return values.reduce(0, +) / count
                            case GK_POOL_ROOT: return values.reduce(0, +) / count.squareRoot()
                            case GK_POOL_PLACE:
                                let sum = values.enumerated().reduce(0.0) { $0 + Double($1.offset + 1) * $1.element }
                                return sum / (count * (count + 1) / 2)
                            default: return values.max() ?? .nan
                            }
                        }
                    }
                    onEveryPath { path in
                        func pooled(_ team: UnsafePointer<gk_team>, rows: Range<Int>) -> [Float] {
                            // Rows of y lie apart.
                            let stride = h + 3
                            var y = [Float](repeating: 7, count: rows.count * stride)
                            starts[rows.lowerBound...].withUnsafeBufferPointer {
                                gk_pool_rows(
                                    team, gk_pool(pool), Int64(rows.count), $0.baseAddress, Int64(h), x, &y,
                                    Int64(stride))
                            }
                            var packed: [Float] = []
                            for index in 0..<rows.count {
                                let first = index * stride
                                packed += y[first..<first + h]
                                #expect(y[first + h] == 7, "the gap")
                            }
                            return packed
                        }
                        let whole = Team(1).run { pooled($0, rows: 0..<lengths.count) }
                        expectClose(whole, expected, within: 2e-6, "\(path), pool \(pool), width \(h)")
                        expectSameBitsOnAnyThreads("\(path), pool \(pool)") { pooled($0, rows: 0..<lengths.count) }
                        for row in lengths.indices {
                            let alone = Team(1).run { pooled($0, rows: row..<row + 1) }
                            #expect(alone == Array(whole[row * h..<(row + 1) * h]), "\(path), row \(row)")
                        }
                    }
                }
            }
        }

        @Test("Adding and blending are right on odd counts")
        func addAndBlend() {
            for count in oddCounts + [40_009] {
                let (x, y) = (randomFloats(count, seed: 5), randomFloats(count, seed: 6))
                let sum = zip(x, y).map { Double($1) + -1.5 * Double($0) }
                let blend = zip(x, y).map { Double($1) + 0.3 * (Double($0) - Double($1)) }
                onEveryPath { path in
                    for threads in [1, 3] {
                        var result = y
                        Team(threads).run { gk_add($0, Int64(count), -1.5, x, &result) }
                        expectClose(result, sum, within: 2e-7, "\(path), \(count)")
                        result = y
                        Team(threads).run { team in
                            gk_blend(team, 1, Int64(count), 0.3, x, Int64(count), &result, Int64(count))
                        }
                        expectClose(result, blend, within: 2e-7, "\(path), \(count)")
                    }
                }
            }
        }

        @Test("The gradients of what sequences are pooled to, added to what is there; threads change no bit")
        func poolBackward() {
            let starts: [Int64] = [0, 1, 4, 6, 70, 283]
            for h in [1, 15, 16, 97] {
                let (x, dy) = (randomFloats(283 * h, seed: 9), randomFloats(5 * h, seed: 10))
                let before = randomFloats(283 * h, seed: 12)
                for pool in [GK_POOL_MEAN, GK_POOL_ROOT, GK_POOL_PLACE, GK_POOL_LARGEST] {
                    var expected = before.map(Double.init)
                    for i in 0..<5 {
                        let rows = Int(starts[i])..<Int(starts[i + 1])
                        let count = Double(rows.count)
                        for j in 0..<h {
                            let best = rows.max { x[$0 * h + j] < x[$1 * h + j] }
                            for row in rows {
                                let share =
                                    switch pool {
                                    case GK_POOL_MEAN: 1 / count
                                    case GK_POOL_ROOT: 1 / count.squareRoot()
                                    case GK_POOL_PLACE: Double(row - rows.lowerBound + 1) / (count * (count + 1) / 2)
                                    default: row == best ? 1.0 : 0
                                    }
                                expected[row * h + j] += Double(dy[i * h + j]) * share
                            }
                        }
                    }
                    // Rows of dy lie apart.
                    let stride = h + 3
                    var apart = [Float](repeating: .nan, count: 5 * stride)
                    for (place, value) in dy.enumerated() { apart[place / h * stride + place % h] = value }
                    onEveryPath { path in
                        func gradient(_ team: UnsafePointer<gk_team>) -> [Float] {
                            var dx = before
                            gk_pool_rows_backward(
                                team, gk_pool(pool), 5, starts, Int64(h), x, apart, Int64(stride), &dx)
                            return dx
                        }
                        expectClose(
                            Team().run(gradient), expected, within: 1e-6, "\(path), pool \(pool), width \(h)")
                        expectSameBitsOnAnyThreads("\(path), pool \(pool), width \(h)", gradient)
                    }
                }
            }
        }

        @Test("The gradient of normalised rows is the slope of what is made of them")
        func normalizeBackward() {
            for (m, h) in Self.shapes {
                let x = randomFloats(m * h, seed: 13, scale: 3) + [Float](repeating: 0, count: h)
                let dy = randomFloats((m + 1) * h, seed: 14)
                func value(_ row: [Double], _ i: Int) -> Double {
                    let length = max(row.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
                    return row.indices.reduce(0) { $0 + row[$1] / length * Double(dy[i * h + $1]) }
                }
                let expected = (0..<m * h).map { place -> Double in
                    let i = place / h
                    let row = x[i * h..<(i + 1) * h].map(Double.init)
                    return slope(at: row[place % h]) {
                        var moved = row
                        moved[place % h] = $0
                        return value(moved, i)
                    }
                }
                onEveryPath { path in
                    var (y, dx) = (x, dy)
                    var lengths = [Float](repeating: 0, count: m + 1)
                    Team().run { gk_normalize_rows($0, Int64(m + 1), Int64(h), &y, &lengths) }
                    Team().run { gk_normalize_rows_backward($0, Int64(m + 1), Int64(h), y, lengths, &dx) }
                    expectClose(Array(dx.prefix(m * h)), expected, within: 2e-5, "\(path), \(m) x \(h)")
                    // At the least length the row is what it was, times a number.
                    expectClose(
                        Array(dx.suffix(h)), dy.suffix(h).map { Double($0) * 1e12 }, within: 1e-6, "\(path), zero")
                }
            }
        }

        @Test("Normalised rows have length one; a zero row stays zero")
        func normalize() {
            for (m, h) in Self.shapes {
                let x = randomFloats(m * h, seed: 11, scale: 50) + [Float](repeating: 0, count: h)
                let expected = x.indices.map { i -> Double in
                    let row = x[i / h * h..<(i / h + 1) * h]
                    let length = row.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
                    return Double(x[i]) / max(length, 1e-12)
                }
                onEveryPath { path in
                    var y = x
                    Team().run { gk_normalize_rows($0, Int64(m + 1), Int64(h), &y, nil) }
                    expectClose(y, expected, within: 3e-7, "\(path), \(m) x \(h)")
                }
            }
        }

        @Test(
            "Rotation turns each pair of a head's first numbers by position times frequency, and its inverse is the gradient"
        )
        func rotate() {
            for (heads, width, part, magnitude) in [
                (1, 2, 2, 1), (3, 64, 64, 1), (2, 80, 80, 1.2), (1, 34, 34, 1), (2, 128, 128, 1), (3, 24, 6, 1.1),
                (2, 80, 64, 1),
            ] {
                let half = part / 2
                let frequencies = (0..<half).map { Float(pow(10_000, -Double($0) / Double(half))) }
                let positions: [Int32] = [0, 1, 2, 511, 8_191, 131_071]
                let x = Matrix.random(6, heads * width, gap: 5, seed: 12)
                var turned = [Double](repeating: 0, count: 6 * heads * width)
                for i in 0..<6 {
                    for j in 0..<heads * width {
                        if j % width >= part {
                            turned[i * heads * width + j] = Double(x.compact[i * heads * width + j])
                            continue
                        }
                        let (head, place) = (j / width * width, j % width % half)
                        let angle = Double(Float(positions[i]) * frequencies[place])
                        let (low, high) = (Double(x[i, head + place]), Double(x[i, head + place + half]))
                        turned[i * heads * width + j] =
                            magnitude
                            * (j % width < half
                                ? low * cos(angle) - high * sin(angle) : high * cos(angle) + low * sin(angle))
                    }
                }
                onEveryPath { path in
                    for threads in [1, 2] {
                        var y = x
                        func turn(inverse: Bool) {
                            Team(threads).run {
                                gk_rotate(
                                    $0, 6, Int32(heads), Int32(width), Int32(part), positions, frequencies,
                                    Float(magnitude), inverse, &y.storage, Int64(y.stride))
                            }
                        }
                        turn(inverse: false)
                        let comment = "\(path), \(part) of \(heads) heads of \(width)"
                        expectClose(y.compact, turned, within: 1e-6, comment)
                        #expect(y.gapsAreIntact, "\(comment)")
                        turn(inverse: true)
                        let back = x.compact.enumerated().map { j, x in
                            Double(x) * (j % width < part ? magnitude * magnitude : 1)
                        }
                        expectClose(y.compact, back, within: 1e-6, comment)
                    }
                }
            }
        }
    }
}

extension Matrix {
    /// The elements without the gaps.
    var compact: [Float] { (0..<rows).flatMap { i in storage[i * stride..<i * stride + columns] } }
}
