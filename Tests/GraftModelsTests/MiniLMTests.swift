import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// The real all-MiniLM-L6-v2 on thirty texts: short, pairs, other scripts, up to 512 tokens.
@Suite struct MiniLMTests {
    static let tolerance: Float = 1e-4
    /// Values that the goldens keep of a token's hidden state.
    static let watchedCount = 8

    private let model: Model
    private let rows: RowBatch
    private let hidden: [Float]  // (rows, 3, watchedCount): first, middle and last token
    private let embedding: [Float]  // (rows, hiddenSize)

    init() throws {
        model = try Architectures.load(path: TestData.model("minilm"), precision: .float32)
        var rows = RowBatch()
        for row in try JSON(contentsOf: Goldens.path("minilm/rows.json")).array("rows") {
            let tokens = Goldens.numbers(try #require(row["input_ids"]))
            rows.append(tokens: tokens, types: Goldens.numbers(try #require(row["token_type_ids"])))
        }
        self.rows = rows
        let file = try SafetensorsFile(path: Goldens.path("minilm/expected.safetensors"))
        hidden = try Goldens.floats(file, "hidden")
        embedding = try Goldens.floats(file, "embedding")
    }

    @Test("Hidden states and embeddings are within 1e-4 of transformers', thirty unequal rows in one batch")
    func together() throws {
        #expect(rows.rowCount == 30 && rows.length(ofRow: 27) == 512)
        try expectGoldens(of: rows, firstRow: 0)
    }

    @Test("And each row alone")
    func alone() throws {
        for row in 0..<rows.rowCount {
            var alone = RowBatch()
            alone.append(row: row, of: rows)
            try expectGoldens(of: alone, firstRow: row)
        }
    }

    /// Holds each row of a batch against the goldens, which have the batch's first row as their
    /// `firstRow`.
    private func expectGoldens(of batch: RowBatch, firstRow: Int) throws {
        let width = model.shape.hiddenSize
        let pass = try Pass(team: try Team(threadCount: 2))
        try pass.begin(batch, rows: 0..<batch.rowCount) { _ in nil }
        let output = try model.forward(pass).matrix
        let states = UnsafeBufferPointer(start: output.base, count: output.count)
        for row in 0..<batch.rowCount {
            let (start, length) = (Int(batch.starts[row]), batch.length(ofRow: row))
            let watched = [0, length / 2, length - 1].flatMap { token in
                states[((start + token) * width)...].prefix(Self.watchedCount)
            }
            expectNear(watched, hidden, atRow: firstRow + row, "hidden states")
            let sums = (0..<width).map { column in
                (start..<start + length).reduce(0.0) { $0 + Double(states[$1 * width + column]) }
            }
            let norm = sums.reduce(0.0) { $0 + $1 * $1 }.squareRoot()
            expectNear(sums.map { Float($0 / norm) }, embedding, atRow: firstRow + row, "embedding")
        }
    }

    private func expectNear(_ found: [Float], _ golden: [Float], atRow row: Int, _ what: String) {
        let difference = Goldens.difference(found, Array(golden[(row * found.count)...].prefix(found.count)))
        #expect(difference < Self.tolerance, "row \(row), \(what): \(difference)")
    }
}
