import GraftLayers
import Testing

@testable import GraftTraining

/// Laws of the order in which rows come.
@Suite struct BatchOrderTests {
    private func order(_ rows: RowBatch, epoch: Int = 0, seed: UInt64 = 4, size: Int = 8, groups: Bool = true)
        -> BatchOrder
    {
        BatchOrder(
            rows, epoch: epoch,
            options: TrainingFixture.options {
                $0.seed = seed
                $0.rowsPerBatch = size
                $0.groupsByLength = groups
            })
    }

    @Test(
        "Every epoch has every row once, in batches that are full but for one",
        arguments: [
            (1, 8), (7, 8), (8, 8), (9, 8), (100, 1), (1000, 7), (1000, 1000),
        ])
    func permutation(count: Int, size: Int) {
        let rows = TrainingFixture.rows(count: count, seed: 1)
        for groups in [true, false] {
            let order = order(rows, size: size, groups: groups)
            #expect(order.rows.sorted() == Array(0..<count))
            #expect(order.batches.sorted() == Array(0..<(count + size - 1) / size))
            var batch = RowBatch()
            var sizes: [Int] = []
            var labels = 0
            var tokens = 0
            for index in 0..<order.count {
                order.fill(&batch, index, from: rows)
                sizes.append(batch.rowCount)
                labels += batch[.labels].reduce(0) { $0 + Int($1) }
                tokens += batch.tokenCount
            }
            #expect(sizes.reduce(0, +) == count)
            #expect(sizes.count { $0 == size } >= count / size)
            #expect(tokens == rows.tokenCount)
            #expect(labels == rows[.labels].reduce(0) { $0 + Int($1) })
        }
    }

    @Test("The order follows from seed and epoch alone, and another seed or epoch gives another one")
    func deterministic() {
        let rows = TrainingFixture.rows(count: 200, seed: 1)
        for groups in [true, false] {
            let first = order(rows, groups: groups)
            let again = order(rows, groups: groups)
            #expect(first.rows == again.rows)
            #expect(first.batches == again.batches)
            #expect(order(rows, epoch: 1, groups: groups).rows != first.rows)
            #expect(order(rows, seed: 5, groups: groups).rows != first.rows)
        }
    }

    @Test("A batch takes rows with their labels and types")
    func fill() {
        let rows = TrainingFixture.rows(count: 30, seed: 1)
        let order = order(rows)
        var batch = RowBatch()
        order.fill(&batch, 2, from: rows)
        for (index, row) in order.rows[order.batches[2] * 8..<min(order.batches[2] * 8 + 8, 30)].enumerated() {
            let range = Int(rows.starts[row])..<Int(rows.starts[row + 1])
            let own = Int(batch.starts[index])..<Int(batch.starts[index + 1])
            #expect(rows.tokens[range] == batch.tokens[own])
            #expect(rows[.labels][row] == batch[.labels][index])
        }
    }

    @Test("Grouping by length makes the rows of a batch alike, and batches still come in any order")
    func groups() {
        let rows = TrainingFixture.rows(count: 2000, seed: 1, longest: 60)
        func spread(_ order: BatchOrder) -> Double {
            var batch = RowBatch()
            var sum = 0.0
            for index in 0..<order.count {
                order.fill(&batch, index, from: rows)
                let lengths = (0..<batch.rowCount).map(batch.length)
                sum += Double((lengths.max() ?? 0) - (lengths.min() ?? 0))
            }
            return sum / Double(order.count)
        }
        let grouped = order(rows)
        #expect(spread(grouped) < 2)
        #expect(spread(order(rows, groups: false)) > 20)
        #expect(grouped.batches != Array(0..<grouped.count))
        #expect(order(rows, groups: false).batches == Array(0..<grouped.count))
    }

    @Test("Rows are shuffled fairly: over many epochs each place sees each row")
    func fair() {
        let rows = TrainingFixture.rows(count: 10, seed: 1)
        var counts = [Int](repeating: 0, count: 100)
        for epoch in 0..<2000 {
            for (place, row) in order(rows, epoch: epoch, size: 1, groups: false).rows.enumerated() {
                counts[place * 10 + row] += 1
            }
        }
        // 200 expected, deviation 13.4.
        #expect(counts.allSatisfy { (130...270).contains($0) }, "\(counts.min() ?? 0) to \(counts.max() ?? 0)")
    }
}
