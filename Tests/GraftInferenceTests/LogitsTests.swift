import Testing

@testable import GraftInference

@Suite struct LogitsTests {
    @Test("The value of a rank is that of the sorted row, also among equals")
    func ranks() {
        for count in [1, 5, 1023, 1024, 1025, 3000] {
            for step in [7, 1009] {
                var row = (0..<count).map { Float($0 * 7919 % step) }
                let sorted = row.sorted(by: >)
                row.withUnsafeMutableBufferPointer { logits in
                    for rank in Set([1, 2, min(7, count), count]) where rank <= count {
                        #expect(logits.value(ofRank: rank) == sorted[rank - 1], "\(count), \(step), \(rank)")
                    }
                }
            }
        }
    }

    @Test("A visit begins where it is told, and heeds what the next ones have to reach")
    func visits() {
        var row = (0..<4000).map { Float($0 % 2000) }
        row.withUnsafeMutableBufferPointer { logits in
            var found: [Int] = []
            logits.visit(from: 1990, reaching: 1500) { place in
                found.append(place)
                return 1995
            }
            #expect(found.prefix(10) == Array(1990..<2000)[...])
            // Those of the block in which it is raised are still visited, and no others below it.
            #expect(found.filter { $0 >= 1990 + 1024 } == Array(3995..<4000))
        }
    }
}
