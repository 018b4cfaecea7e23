public import CGraft
import GraftInference
import GraftLayers
import GraftTensor

@c @implementation
public func graft_batch_mask_each(
    _ batch: OpaquePointer?, _ mask_token: Int32, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let rows = try HandleTable.borrow(batch, BatchHandle.self, "batch").content.rows
        return try BatchHandle(try rows.maskedOneByOne(mask_token))
    }
}

@c @implementation
public func graft_session_fill_masks(
    _ session: OpaquePointer?, _ batch: OpaquePointer?, _ mask_token: Int32, _ best_count: Int64,
    _ tokens: UnsafeMutablePointer<Int32>?, _ probabilities: UnsafeMutablePointer<Float>?, _ capacity: Int64,
    _ mask_starts: UnsafeMutablePointer<Int64>?
) -> graft_status {
    call { () throws(GraftError) in
        try HandleTable.with(session, Session.self, "session", .changes) { session throws(GraftError) in
            let batch = try HandleTable.borrow(batch, BatchHandle.self, "batch").content
            let bestCount = try count(best_count, "best_count", from: 1, atMost: 1 << 20)
            var masks = 0
            for row in 0..<batch.rows.rowCount {
                mask_starts?[row] = Int64(masks)
                masks += batch.rows.tokens[batch.rows.range(ofRow: row)].count { $0 == mask_token }
            }
            mask_starts?[batch.rows.rowCount] = Int64(masks)
            let tokens = try output(tokens, capacity: capacity, needs: masks * bestCount, "tokens")
            let found = try session.fillMasks(
                batch.rows, adapters: batch.adapters, mask: mask_token, bestCount: bestCount)
            for (index, prediction) in found.enumerated() {
                tokens[index] = prediction.label
                probabilities?[index] = prediction.probability
            }
        }
    }
}
