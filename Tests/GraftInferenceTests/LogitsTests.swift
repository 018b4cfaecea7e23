import Testing

@testable import GraftInference

@Suite struct LogitsTests {
    @Test("The largest are those of the sorted row, the first of equals first, and none below what is to be reached")
    func largest() {
        for count in [1, 5, 1023, 1024, 1025, 3000] {
            for step in [7, 1009] {
                var row = (0..<count).map { Float($0 * 7919 % step) }
                row[count / 2] = -.infinity
                let sorted = row.indices.sorted { (row[$1], $0) < (row[$0], $1) }
                row.withUnsafeMutableBufferPointer { logits in
                    for wanted in [0, 1, 2, 7, count, count + 1] {
                        let found = logits.places(ofLargest: wanted)
                        #expect(found == Array(sorted.prefix(wanted)), "\(count), \(step), \(wanted)")
                        for least in [Float(step / 2), -.greatestFiniteMagnitude, .infinity] {
                            let reaching = sorted.filter { logits[$0] >= least }
                            let found = logits.places(ofLargest: wanted, reaching: least)
                            #expect(found == Array(reaching.prefix(wanted)), "\(count), \(step), \(wanted), \(least)")
                        }
                    }
                }
            }
        }
    }

    @Test("A visit heeds what the next ones have to reach, a block later")
    func visits() {
        var row = (0..<4000).map { Float($0 % 2000) }
        row.withUnsafeMutableBufferPointer { logits in
            var found: [Int] = []
            logits.visit(reaching: 1500) { place in
                found.append(place)
                return 1995
            }
            // Those of the block in which it is raised are still visited, and no others below it.
            #expect(found.starts(with: 1500..<1600) && found.count < 1000)
            #expect(found.filter { $0 >= 2500 } == Array(3995..<4000))
        }
    }
}
