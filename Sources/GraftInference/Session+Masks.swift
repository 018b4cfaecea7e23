import GraftAdapters
import GraftLayers
import GraftTensor

extension Session {
    /// The `bestCount` likeliest tokens for each token that is the mask, row after row, with their
    /// probabilities among the whole vocabulary.
    ///
    /// A prediction's label is the token.
    package func fillMasks(
        _ batch: RowBatch, adapters: [Composition?], mask: Int32, bestCount: Int
    ) throws(GraftError) -> [Prediction] {
        let head = try LanguageModelHead(masked: model)
        let maskCount = batch.tokens.count { $0 == mask }
        let total = maskCount * bestCount
        try Memory.require(
            total * MemoryLayout<Prediction>.size, to: "\(bestCount) tokens for each of \(maskCount) masks")
        predictions.removeAll(keepingCapacity: true)
        predictions.reserveCapacity(total)
        try eachPass(batch, adapters, reading: nil) { first, count throws(GraftError) in
            let hidden = try model.forward(pass)
            let masks = try places(of: mask, in: batch, first: first, count: count)
            try head.eachChunk(of: masks.places, batchFirst: 0, hidden.matrix, pass: pass) { chunk throws(GraftError) in
                let logits = chunk.logits
                let order = try pass.scratch.allocate(Int32.self, count: logits.columns)
                for line in 0..<logits.rows {
                    let row = Int(masks.rows[chunk.range.lowerBound + line])
                    let known = model.outputSize(adapter(adapters, row))
                    let own = UnsafeMutableBufferPointer(start: logits.base + line * logits.stride, count: known)
                    try ofRow(row) { () throws(GraftError) in
                        try Self.rank(own, .oneLabel, best: bestCount, with: order, into: &predictions)
                    }
                }
            }
        }
        return predictions
    }

    /// Where the pass has masks, and of which rows of the batch.
    private func places(
        of mask: Int32, in batch: RowBatch, first: Int, count: Int
    ) throws(GraftError) -> (places: UnsafeBufferPointer<Int32>, rows: UnsafeMutablePointer<Int32>) {
        let places = try pass.kept.allocate(Int32.self, count: pass.tokenCount)
        let rows = try pass.kept.allocate(Int32.self, count: pass.tokenCount)
        var found = 0
        for row in 0..<count {
            for (token, id) in batch.tokens[batch.range(ofRow: first + row)].enumerated() where id == mask {
                places[found] = Int32(pass.place(row: row, token: token))
                rows[found] = Int32(first + row)
                found += 1
            }
        }
        return (UnsafeBufferPointer(start: places, count: found), rows)
    }
}
