import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// What holds for every model whose tokens see only earlier ones.
@Suite struct DecoderTests {
    private static let folders = [
        "llama-tiny/everything", "gpt2-tiny/everything", "mistral-tiny/plain", "qwen2-tiny/windowed",
        "qwen3-tiny/windowed", "smollm3-tiny/plain", "gemma2-tiny/plain", "gemma3-tiny/everything",
        "phi3-tiny/plain", "olmo2-tiny/plain", "gpt-neox-tiny/plain",
    ]

    private func rows() throws -> RowBatch {
        try Goldens.rows(try JSON(contentsOf: Goldens.path("llama-tiny/inputs.json")))
    }

    @Test(
        "A row's bits do not depend on its batch or on the number of threads",
        arguments: folders, [Precision.float32, .bfloat16])
    func bitsAreARowsOwn(folder: String, precision: Precision) throws {
        let folder = Goldens.path(folder)
        let rows = try rows()
        let together = try hiddenStates(folder, rows, precision: precision)[2]
        for threads in [1, 3, 8] {
            #expect(try hiddenStates(folder, rows, precision: precision, threads: threads)[2] == together)
        }
        for row in 0..<rows.rowCount {
            var alone = RowBatch()
            alone.append(row: row, of: rows)
            let states = try hiddenStates(folder, alone, precision: precision)[2]
            #expect(
                states == Array(together[Int(rows.starts[row]) * 32..<Int(rows.starts[row + 1]) * 32]), "row \(row)")
        }
    }

    @Test(
        "Token by token with a cache, hidden states have the bits of the whole text",
        arguments: folders, [Precision.float32, .bfloat16])
    func cacheGivesTheSameBits(folder: String, precision: Precision) throws {
        let model = try Architectures.load(path: Goldens.path(folder), precision: precision)
        let rows = try rows()
        let width = model.shape.hiddenSize
        let pass = try Pass(team: try Team(threadCount: 2))
        try pass.begin(rows, rows: 0..<rows.rowCount) { _ in nil }
        let whole = try model.forward(pass).matrix
        let expected = Array(UnsafeBufferPointer(start: whole.base, count: whole.count))

        let cache = KeyValueCache(
            layerCount: model.shape.layerCount, width: model.shape.keyWidth, precision: precision)
        let held = try cache.add(capacities: (0..<rows.rowCount).map(rows.length))
        // Rows leave as their tokens run out, and the first step takes up to five tokens of each.
        var lengths = (0..<rows.rowCount).map { min(rows.length(ofRow: $0), 5) }
        while lengths.contains(where: { $0 > 0 }) {
            var batch = RowBatch()
            let active = lengths.indices.filter { lengths[$0] > 0 }
            for row in active {
                let first = Int(rows.starts[row]) + cache.length(ofRow: held[row])
                batch.append(tokens: rows.tokens[first..<first + lengths[row]], types: nil as [Int32]?)
            }
            try pass.begin(batch, rows: 0..<batch.rowCount, cache: cache, cacheRow: { held[active[$0]] }) { _ in nil }
            let hidden = try model.forward(pass).matrix
            for (index, row) in active.enumerated() {
                for token in 0..<lengths[row] {
                    let from = hidden.base + (Int(batch.starts[index]) + token) * width
                    let place = (Int(rows.starts[row]) + cache.length(ofRow: held[row]) + token) * width
                    let states = Array(UnsafeBufferPointer(start: from, count: width))
                    #expect(
                        states == Array(expected[place..<place + width]),
                        "row \(row), token \(cache.length(ofRow: held[row]) + token)")
                }
            }
            cache.advance(pass)
            for row in active { lengths[row] = min(rows.length(ofRow: row) - cache.length(ofRow: held[row]), 1) }
        }
    }
}
