import Glibc
import GraftAdapters
import GraftLayers
import GraftTensor

extension Session {
    /// A label and its probability; label -1 of probability 0 where a row has no more.
    package struct Prediction: BitwiseCopyable, Equatable, Sendable {
        package let label: Int32
        package let probability: Float
    }

    /// The `bestCount` likeliest labels of each row, row after row, by softmax over the row's own labels.
    package func predict(
        _ batch: RowBatch, adapters: [Composition?], bestCount: Int
    ) throws(GraftError) -> [Prediction] {
        let columns = try labelCount(batch, adapters: adapters)
        let classifier = SequenceClassifier(model: model)
        let total = batch.rowCount * bestCount
        try Memory.require(total * MemoryLayout<Prediction>.size, to: "\(bestCount) labels of each row")
        predictions.removeAll(keepingCapacity: true)
        predictions.reserveCapacity(total)
        try eachPass(batch, adapters, reading: summary(batch, adapters, classifier)) {
            first, count throws(GraftError) in
            let hidden = try model.forward(pass)
            let logits = try pass.kept.matrix(rows: count, columns: columns)
            let order = try pass.kept.allocate(Int32.self, count: columns)
            _ = try classifier.forward(hidden, into: logits, pass: pass)
            for row in first..<first + count {
                let labelCount = try labelCount(ofRow: row, adapters: adapters)
                let own = UnsafeMutableBufferPointer(
                    start: logits.base + (row - first) * logits.stride, count: labelCount)
                do throws(GraftError) {
                    try Self.rank(own, best: bestCount, with: order, into: &predictions)
                } catch {
                    throw GraftError(error.code, "row \(row): \(error.message)")
                }
            }
        }
        return predictions
    }

    /// Adds the likeliest labels by their logits, equals in the order of their numbers, filled up to `count`.
    ///
    /// - Parameter order: room for as many labels as there are.
    static func rank(
        _ logits: UnsafeMutableBufferPointer<Float>, best count: Int, with order: UnsafeMutablePointer<Int32>,
        into predictions: inout [Prediction]
    ) throws(GraftError) {
        let largest = Double(logits[try TokenSampler.largest(logits)])
        func share(_ label: Int) -> Double { exp(Double(logits[label]) - largest) }
        let total = logits.indices.reduce(0) { $0 + share($1) }

        // A heap whose first is the likeliest of the labels that are left: label i stands above 2i + 1 and 2i + 2.
        var left = logits.count
        for label in 0..<left { order[label] = Int32(truncatingIfNeeded: label) }
        func precedes(_ a: Int, _ b: Int) -> Bool {
            let (x, y) = (logits[Int(order[a])], logits[Int(order[b])])
            return x != y ? x > y : order[a] < order[b]
        }
        func sink(from start: Int) {
            var parent = start
            while true {
                var first = parent
                for child in [2 * parent + 1, 2 * parent + 2] where child < left && precedes(child, first) {
                    first = child
                }
                if first == parent { return }
                swap(&order[parent], &order[first])
                parent = first
            }
        }
        for parent in (0..<left / 2).reversed() { sink(from: parent) }
        for _ in 0..<count {
            guard left > 0 else {
                predictions.append(Prediction(label: -1, probability: 0))
                continue
            }
            let label = order[0]
            predictions.append(Prediction(label: label, probability: Float(share(Int(label)) / total)))
            left -= 1
            order[0] = order[left]
            sink(from: 0)
        }
    }
}
