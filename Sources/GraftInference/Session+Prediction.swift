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

    /// The `bestCount` likeliest labels of each row or token, one after the other.
    ///
    /// Where the head has a chain, a token's first is the one that it has in the likeliest labels
    /// of its row together, and probabilities are those over all labels of the row.
    package func predict(
        _ batch: RowBatch, adapters: [Composition?], bestCount: Int
    ) throws(GraftError) -> [Prediction] {
        let (unit, columns) = try outputs(batch, adapters: adapters)
        let total = batch.count(unit) * bestCount
        try Memory.require(
            total * MemoryLayout<Prediction>.size, to: "\(bestCount) labels of each of \(batch.count(unit)) \(unit)")
        predictions.removeAll(keepingCapacity: true)
        predictions.reserveCapacity(total)
        var order: UnsafeMutablePointer<Int32>?
        try eachHead(batch, adapters, unit) { _, count throws(GraftError) in
            order = try pass.kept.allocate(Int32.self, count: columns)
            return try pass.kept.matrix(rows: count, columns: columns)
        } body: { row, head, logits throws(GraftError) in
            guard head.outputs == .oneLabel || head.outputs == .labels, let order else {
                let kind = head.outputs == .span ? "answers" : head.outputs == .choice ? "scores" : "values"
                throw GraftError(
                    .invalidArgument,
                    "row \(row): its head is one of \(kind), none of which is likelier than another: see "
                        + "graft_session_classify")
            }
            let best = try decode(logits, head, batch, row: row)
            for line in 0..<logits.rows {
                let own = UnsafeMutableBufferPointer(start: logits.base + line * logits.stride, count: head.labelCount)
                try ofRow(row) { () throws(GraftError) in
                    try Self.rank(own, head.outputs, best: bestCount, with: order, into: &predictions)
                }
                if let best, best[line] >= 0 {
                    let probability = Float(exp(Double(own[Int(best[line])])))
                    Self.put(Prediction(label: best[line], probability: probability), firstOf: bestCount, &predictions)
                }
            }
        }
        return predictions
    }

    /// Of a head with a chain the likeliest labels of the row's tokens together, -1 for those that
    /// are no part of it; `logits` of the others become logarithms of probabilities. nil without.
    private func decode(
        _ logits: Matrix, _ head: RowHead, _ batch: RowBatch, row: Int
    ) throws(GraftError) -> UnsafeMutablePointer<Int32>? {
        guard let chain = head.chain, head.unit == .tokens else { return nil }
        let best = try pass.kept.allocate(Int32.self, count: logits.rows)
        let places = batch.chainPlaces(ofRow: row)
        try places.withUnsafeBufferPointer { places throws(GraftError) in
            guard let places = places.baseAddress else { return }
            try chain.decode(logits, places: places, into: best, isMarginal: true, pass)
        }
        return best
    }

    /// Makes a label the first of the last `count` predictions; the one that it was among them, or
    /// else the last, makes room.
    static func put(_ first: Prediction, firstOf count: Int, _ predictions: inout [Prediction]) {
        let start = predictions.count - count
        let place = predictions[start...].firstIndex { $0.label == first.label } ?? predictions.count - 1
        let own = predictions[place].label == first.label ? predictions[place] : first
        predictions.remove(at: place)
        predictions.insert(own, at: start)
    }

    /// Adds the likeliest labels by their logits, equals in the order of their numbers, filled up
    /// to `count`. Of labels that exclude each other the probability is softmax over all, else the
    /// label's own sigmoid.
    ///
    /// - Parameter order: room for as many labels as there are.
    static func rank(
        _ logits: Logits, _ outputs: Task.Outputs, best count: Int,
        with order: UnsafeMutablePointer<Int32>, into predictions: inout [Prediction]
    ) throws(GraftError) {
        let largest = Double(logits[try TokenSampler.largest(logits)])
        func share(_ label: Int) -> Double { exp(Double(logits[label]) - largest) }
        let total = outputs == .oneLabel ? logits.indices.reduce(0) { $0 + share($1) } : 1
        func probability(_ label: Int) -> Float {
            Float(outputs == .oneLabel ? share(label) / total : 1 / (1 + exp(-Double(logits[label]))))
        }

        // A heap whose first is the likeliest of the labels that are left: label i stands above 2i
        // + 1 and 2i + 2.
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
            predictions.append(Prediction(label: label, probability: probability(Int(label))))
            left -= 1
            order[0] = order[left]
            sink(from: 0)
        }
    }
}
