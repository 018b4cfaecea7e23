import CGraftKernels
import Glibc
import Testing

extension Kernels {
    @Suite struct Logits {
        static let counts = [1, 3, 4, 17, 63, 64, 65, 1024, 5003]

        /// Numbers of which some are equal, and -infinity among them.
        static func row(_ count: Int) -> [Float] {
            var row = Matrix.random(1, count, seed: UInt64(count)).compact.map { ($0 * 40).rounded() / 4 }
            if count > 3 { row[count / 2] = -.infinity }
            return row
        }

        @Test("The log of a row's sum of exponentials is that of double precision; what cannot be counts nothing")
        func logSums() {
            onEveryPath { path in
                for count in Self.counts {
                    let row = Self.row(count).map { $0 + 700 }
                    let largest = Double(row.max() ?? 0)
                    let expected = largest + log(row.reduce(0) { $0 + exp(Double($1) - largest) })
                    #expect(abs(gk_log_sum(Int64(count), row, row.max() ?? 0) - expected) < 1e-6, "\(path)")
                }
            }
        }

        @Test("The largest is the first of equals, infinities count, and NaN is found wherever it is")
        func largest() {
            onEveryPath { path in
                for count in Self.counts {
                    var row = Self.row(count)
                    #expect(gk_largest(Int64(count), row) == Int64(row.firstIndex(of: row.max() ?? 0) ?? -1), "\(path)")
                    let none = [Float](repeating: -.infinity, count: count)
                    #expect(gk_largest(Int64(count), none) == 0, "\(path)")
                    for place in Set([0, count / 3, count - 1]) {
                        let kept = row[place]
                        row[place] = .infinity
                        #expect(gk_largest(Int64(count), row) == Int64(place), "\(path)")
                        row[place] = .nan
                        #expect(gk_largest(Int64(count), row) == -1, "\(path)")
                        row[place] = kept
                    }
                }
            }
        }

        @Test("Rows are read as each is told to, on any number of threads")
        func rows() {
            let readings = [GK_READ_LARGEST, GK_READ_LOG_SUM, GK_READ_LOG_PROBABILITIES]
            onEveryPath { path in
                for threads in [1, 3] {
                    var kept = Self.counts.map(Self.row)
                    kept[2][0] = .nan
                    kept[4] = [Float](repeating: -.infinity, count: kept[4].count)
                    var numbers = kept.flatMap { $0 }
                    numbers.withUnsafeMutableBufferPointer { all in
                        var place = 0
                        var rows: [gk_logit_row] = []
                        for (index, row) in kept.enumerated() {
                            rows.append(
                                gk_logit_row(
                                    z: all.baseAddress! + place, n: Int64(row.count),
                                    reading: Int32(readings[index % 3].rawValue), padding: 0, largest: -7, log_sum: -7))
                            place += row.count
                        }
                        Team(threads).run { gk_read_logits($0, Int64(rows.count), &rows) }
                        for (index, (row, own)) in zip(rows, kept).enumerated() {
                            #expect(row.largest == gk_largest(Int64(own.count), own), "\(path), \(index)")
                            let isRead = index % 3 > 0 && own.allSatisfy { !$0.isNaN } && own.contains { $0.isFinite }
                            let sum = isRead ? gk_log_sum(Int64(own.count), own, own.max() ?? 0) : 0
                            #expect(row.log_sum == sum, "\(path), \(index)")
                            let replaced = isRead && index % 3 == 2
                            let expected = replaced ? own.map { Float(Double($0) - sum) } : own
                            let found = Array(UnsafeBufferPointer(start: row.z, count: own.count))
                            #expect(
                                zip(found, expected).allSatisfy { $0.bitPattern == $1.bitPattern }, "\(path), \(index)")
                        }
                    }
                }
            }
        }

        @Test("The numbers that reach another are found in order, and no others")
        func reaching() {
            onEveryPath { path in
                for count in Self.counts {
                    let row = Self.row(count)
                    for least in [-Float.infinity, -3, 5.25, 9.75, .infinity] {
                        var places = [Int32](repeating: -1, count: count)
                        let found = Int(gk_reaching(Int64(count), row, least, &places))
                        let expected = row.indices.filter { row[$0] >= least }.map { Int32($0) }
                        #expect(Array(places[..<found]) == expected, "\(path), \(count), \(least)")
                        #expect(places[found...].allSatisfy { $0 == -1 }, "\(path), \(count), \(least)")
                    }
                }
            }
        }
    }
}
