import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import GraftTraining
import Testing

@testable import GraftInference

/// Decoders classify by the last token that does not pad, in training and in use.
@Suite struct PaddingTests {
    /// Rows, and beginnings of them whose last token stands for the row.
    private static let rows: [(row: [Int32], ends: Int)] = [
        ([1, 5, 9, 2], 3), ([1, 5, 9, 2, 2, 2], 3), ([2, 2, 1, 5], 4), ([1, 2, 9], 3), ([2, 2, 2], 1), ([2], 1),
        ([7], 1),
        ([2, 7, 2], 2),
    ]

    private func model(padding: JSON) throws -> Model {
        let folder = try Goldens.copyOfModel("llama-tiny/sequence-classification", changing: ["pad_token_id": padding])
        return try Architectures.load(path: folder, precision: .float32)
    }

    private func batch(_ rows: [[Int32]]) -> RowBatch {
        var batch = RowBatch()
        for row in rows { batch.append(tokens: row, types: nil as [Int32]?) }
        batch[.labels] = rows.indices.map { Int32($0 % 3) }
        return batch
    }

    private func logits(_ model: Model, _ rows: [[Int32]]) throws -> [Float] {
        let session = try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
        var out = [Float](repeating: 0, count: rows.count * 3)
        try session.classify(batch(rows), adapters: [], into: &out)
        return out
    }

    @Test("Padding after a row changes no bit of its logits, wherever else padding stands")
    func use() throws {
        let model = try model(padding: 2)
        let whole = try logits(model, Self.rows.map(\.row))
        #expect(whole == (try logits(model, Self.rows.map { Array($0.row.prefix($0.ends)) })))
        #expect(Set(whole).count > 9)
    }

    @Test(
        "Without a padding token, or with one that is none, the last token stands for its row",
        arguments: [JSON.null, -1])
    func withoutPadding(padding: JSON) throws {
        let last = try model(padding: padding)
        let padded = try model(padding: 2)
        #expect(try logits(last, [[1, 5, 9, 2]]) != logits(padded, [[1, 5, 9, 2]]))
        #expect(try logits(last, [[1, 5, 9]]) == logits(padded, [[1, 5, 9, 2]]))
    }

    @Test("Training reads the same token")
    func training() throws {
        let model = try model(padding: 2)
        func trained(_ rows: [[Int32]]) throws -> [[Float]] {
            let adapter = try Adapter(
                model: model, method: "lora", config: #"{"r": 2, "init_lora_weights": false}"#, seed: 1)
            var options = TrainerOptions()
            options.learningRate = 1e-2
            let trainer = try Trainer(adapter: adapter, options: options)
            var results: [[Float]] = []
            for _ in 0..<3 { results.append([Float(try trainer.step(batch(rows)).loss)]) }
            results.append([Float(try trainer.evaluate(batch(rows)).value("loss"))])
            let values = adapter.content.values
            results.append(Array(UnsafeBufferPointer(start: values, count: adapter.content.plan.parameterCount)))
            return results
        }
        // Later tokens are seen by nobody that counts, so that all of training has the same bits.
        #expect(try trained([[1, 5, 9, 2], [4, 4, 2, 2]]) == trained([[1, 5, 9], [4, 4]]))
    }
}
