import GraftInference
import GraftLayers
import GraftMatrix
import Testing

/// Every method, on every architecture, in inference.
@Suite struct InferenceMatrixTests {
    @Test("An adapter changes what its rows compute; at scale 0 the bits are those without it", arguments: Cell.all)
    func acts(cell: Cell) throws {
        let rows = try cell.rows(count: 9)
        let adapter = try cell.actingAdapters()[0]
        func states(_ scale: Float?) throws -> [[UInt32]] {
            let composition = try scale.map { try Composition(adapter: adapter, scale: $0) }
            return try Outputs(cell, rows, Array(repeating: composition, count: rows.rowCount)).states
        }
        let plain = try states(nil)
        let (whole, half) = (try states(1), try states(0.5))
        for row in 0..<rows.rowCount {
            #expect(whole[row] != plain[row] && half[row] != plain[row] && half[row] != whole[row], "row \(row)")
        }
        #expect(try states(0) == plain)
    }

    @Test("A row has the same bits alone and among plain rows and rows of every method", arguments: Cell.all)
    func mixes(cell: Cell) throws {
        let rows = try cell.rows(count: 18)
        let adapters = try cell.actingAdapters()
        var choices: [Composition?] = [nil, try Composition(adapter: adapters[0], scale: -0.5)]
        choices += try adapters.map { try Composition(adapter: $0, scale: 1) }
        // Runs of one, two and three rows with one adapter.
        let chosen = (0..<rows.rowCount).map { choices[($0 * 2 / 3) % choices.count] }
        let together = try Outputs(cell, rows, chosen, threads: 2)
        for row in 0..<rows.rowCount {
            var single = RowBatch()
            single.append(row: row, of: rows)
            let alone = try Outputs(cell, single, [chosen[row]])
            #expect(together.states[row] == alone.states[0], "row \(row)")
            #expect(together.results[row] == alone.results[0], "row \(row)")
        }
    }

    @Test("A token's hidden state has the same bits when no other of its row is read", arguments: Cell.all)
    func reads(cell: Cell) throws {
        let rows = try cell.rows(count: 18)
        let composition = try Composition(adapter: try cell.actingAdapters()[0], scale: 1)
        let adapters = (0..<rows.rowCount).map { $0 % 3 == 0 ? nil : composition }
        let states = try Outputs(cell, rows, adapters).states
        let model = try cell.model()
        let width = model.shape.hiddenSize
        let session = try Session(model: model, threadCount: 1, passTokenCount: 0, cancelToken: nil)
        for pooling in [Pooling.first, .last] {
            var read = [Float](repeating: .nan, count: rows.rowCount * width)
            try session.embed(rows, adapters: adapters, pooling: pooling, normalizes: false, into: &read)
            for row in 0..<rows.rowCount {
                let expected = pooling == .first ? states[row].prefix(width) : states[row].suffix(width)
                let found = read[row * width..<(row + 1) * width].map(\.bitPattern)
                #expect(found == Array(expected), "row \(row), \(pooling)")
            }
        }
    }

    @Test("Results have the same bits on 1, 2, 3 and 8 threads", arguments: Cell.all)
    func threads(cell: Cell) throws {
        let rows = try cell.rows(count: 18)
        let composition = try Composition(adapter: try cell.actingAdapters()[0], scale: 1)
        let all = try [1, 2, 3, 8].map {
            try Outputs(cell, rows, Array(repeating: composition, count: rows.rowCount), threads: $0)
        }
        #expect(all.allSatisfy { $0.states == all[0].states && $0.results == all[0].results })
    }
}
