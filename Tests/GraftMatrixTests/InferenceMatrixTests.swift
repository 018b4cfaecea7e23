import GraftInference
import GraftLayers
import GraftMatrix
import GraftTensor
import Testing

/// Every method, on every architecture, in inference.
@Suite struct InferenceMatrixTests {
    @Test("An adapter changes what its rows compute; at scale 0 the bits are those without it", arguments: Cell.tried)
    func acts(cell: Cell) throws {
        let rows = try cell.rows(count: 9)
        let adapter = try cell.actingAdapters()[0]
        func states(_ scale: Float?) throws -> [[UInt32]] {
            let composition = try scale.map { try Composition(adapter: adapter, scale: $0) }
            return try Outputs(cell, rows, Array(repeating: composition, count: rows.rowCount)).states
        }
        let (plain, whole) = (try states(nil), try states(1))
        for row in 0..<rows.rowCount { #expect(whole[row] != plain[row], "row \(row)") }
        #expect(try states(0) == plain)
        guard adapter.content.method.hasScale else {
            let error = #expect(throws: GraftError.self) { try Composition(adapter: adapter, scale: 0.5) }
            #expect(error?.message.contains("acts in full or not at all") ?? false)
            return
        }
        let half = try states(0.5)
        for row in 0..<rows.rowCount { #expect(half[row] != plain[row] && half[row] != whole[row], "row \(row)") }
    }

    @Test("A row has the same bits alone and among plain rows and rows of every method", arguments: Cell.tried)
    func mixes(cell: Cell) throws {
        let rows = try cell.rows(count: 18)
        let adapters = try cell.actingAdapters()
        let scale: Float = adapters[0].content.method.hasScale ? -0.5 : 0
        var choices: [Composition?] = [nil, try Composition(adapter: adapters[0], scale: scale)]
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

    @Test(
        "A token's hidden state has the same bits when no other of its row is read",
        arguments: Cell.tried.filter { !$0.readsSources })
    func reads(cell: Cell) throws {
        let rows = try cell.rows(count: 18)
        let adapter = try cell.actingAdapters()[0]
        let composition = try Composition(adapter: adapter, scale: 1)
        let adapters = (0..<rows.rowCount).map { $0 % 3 == 0 ? nil : composition }
        let states = try Outputs(cell, rows, adapters).states
        let model = try cell.model()
        let width = model.shape.hiddenSize
        let session = try Session(model: model, threadCount: 1, passTokenCount: 0, cancelToken: nil)
        // Where an adapter has tokens of its own, a row's first is not the batch's.
        for pooling in adapter.content.plan.prompt == nil ? [Pooling.first, .last] : [.last] {
            var read = [Float](repeating: .nan, count: rows.rowCount * width)
            try session.embed(rows, adapters: adapters, as: SentenceEmbedding([pooling], steps: []), into: &read)
            for row in 0..<rows.rowCount {
                let expected = pooling == .first ? states[row].prefix(width) : states[row].suffix(width)
                let found = read[row * width..<(row + 1) * width].map(\.bitPattern)
                #expect(found == Array(expected), "row \(row), \(pooling)")
            }
        }
    }

    @Test("Results have the same bits on 1, 2, 3 and 8 threads", arguments: Cell.tried)
    func threads(cell: Cell) throws {
        let rows = try cell.rows(count: 18)
        let composition = try Composition(adapter: try cell.actingAdapters()[0], scale: 1)
        let all = try [1, 2, 3, 8].map {
            try Outputs(cell, rows, Array(repeating: composition, count: rows.rowCount), threads: $0)
        }
        #expect(all.allSatisfy { $0.states == all[0].states && $0.results == all[0].results })
    }
}
