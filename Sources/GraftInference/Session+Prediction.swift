import Glibc
import GraftAdapters
import GraftLayers
import GraftTensor

extension Session {
    /// A label and its probability; label -1 of probability 0 where a row has no more.
    package struct Prediction: Equatable, Sendable {
        package let label: Int32
        package let probability: Float

        static let none = Prediction(label: -1, probability: 0)
    }

    /// The `bestCount` likeliest labels of each row, row after row, by softmax over the row's own labels.
    package func predict(
        _ batch: RowBatch, adapters: [Composition?], bestCount: Int
    ) throws(GraftError) -> [Prediction] {
        let labelCounts = try labelCounts(batch, adapters: adapters)
        let columns = labelCounts.max() ?? 0
        let classifier = SequenceClassifier(model: model)
        try Memory.require(
            batch.rowCount * bestCount * MemoryLayout<Prediction>.size, to: "\(bestCount) labels a row")
        var predictions: [Prediction] = []
        predictions.reserveCapacity(batch.rowCount * bestCount)
        try eachPass(batch, adapters, reading: model.summaryToken) { first, count throws(GraftError) in
            let hidden = try model.forward(pass)
            let logits = try pass.kept.matrix(rows: count, columns: columns)
            _ = try classifier.forward(hidden, into: logits, pass: pass)
            for index in 0..<count {
                let row = first + index
                let own = UnsafeMutableBufferPointer(
                    start: logits.base + index * logits.stride, count: labelCounts[row])
                do throws(GraftError) {
                    predictions += try Self.best(bestCount, of: own)
                } catch {
                    throw GraftError(error.code, "row \(row): \(error.message)")
                }
            }
        }
        return predictions
    }

    /// The likeliest labels by their logits, equals in the order of their numbers; filled up to `count`.
    static func best(
        _ count: Int, of logits: UnsafeMutableBufferPointer<Float>
    ) throws(GraftError) -> [Prediction] {
        let largest = Double(logits[try TokenSampler.largest(logits)])
        let shares = logits.map { exp(Double($0) - largest) }
        let total = shares.reduce(0, +)
        let ranked = logits.indices.sorted { logits[$0] != logits[$1] ? logits[$0] > logits[$1] : $0 < $1 }
        let best = ranked.prefix(count).map {
            Prediction(label: Int32(truncatingIfNeeded: $0), probability: Float(shares[$0] / total))
        }
        return best + repeatElement(.none, count: count - best.count)
    }
}
