import CGraftKernels
import GraftTensor

/// y += E[ids]: rows of a frozen table [rowCount, width], read where they are stored.
package final class Embedding: @unchecked Sendable {
    private let table: UnsafeRawPointer
    private let type: gk_type
    /// Keeps the file's mapping alive.
    private let owner: AnyObject
    package let rowCount: Int
    package let width: Int
    package let site: Int
    private let frozenRow: Int32?

    package struct Kept: BitwiseCopyable {
        let ids: UnsafePointer<Int32>
        let deltas: UnsafeMutablePointer<Matrix?>?
    }

    package init(
        table: UnsafeRawPointer, type: gk_type, rowCount: Int, width: Int, site: Int, frozenRow: Int? = nil,
        owner: AnyObject
    ) {
        self.table = table
        self.type = type
        self.rowCount = rowCount
        self.width = width
        self.site = site
        self.frozenRow = frozenRow.map { Int32(clamping: $0) }
        self.owner = owner
    }

    /// `ids`, one for each token of the pass, are in range.
    package func forward(
        _ ids: UnsafePointer<Int32>, into y: Matrix, accumulate: Bool, keeps: Bool, pass: Pass
    ) throws(GraftError) -> Kept {
        guard pass.segments.contains(where: { $0.adapter?.at(site) != nil }) else {
            gather(ids, count: y.rows, from: table, type: type, accumulate, y, pass)
            return Kept(ids: ids, deltas: nil)
        }
        let deltas = try pass.arena(keeping: keeps).allocate(Matrix?.self, count: pass.segments.count)
        for (index, segment) in pass.segments.enumerated() {
            (deltas + index).initialize(to: nil)
            let rows = y.rows(from: segment.firstToken, count: segment.tokenCount)
            let action = segment.adapter?.at(site)
            if let adapter = segment.adapter, let own = action?.weight {
                gather(
                    ids + segment.firstToken, count: rows.rows, from: adapter.values + own.offset,
                    type: gk_type(GK_FLOAT32), accumulate, rows, pass)
            } else {
                gather(ids + segment.firstToken, count: rows.rows, from: table, type: type, accumulate, rows, pass)
            }
            if let adapter = segment.adapter, let delta = action?.delta {
                let context = pass.context(segment, adapter, site: site, unit: .tokens, keeps: keeps)
                deltas[index] = try delta.forward(
                    .ids(ids + segment.firstToken, count: rows.rows), into: rows, context)
            }
        }
        return Kept(ids: ids, deltas: deltas)
    }

    /// Adds to the gradients of an adapter's own table or delta. Clears rows of dy where the table has a frozen row.
    package func backward(_ dy: Matrix, _ kept: Kept, pass: Pass) throws(GraftError) {
        for (index, segment) in pass.segments.enumerated() {
            guard let adapter = segment.adapter, let action = adapter.at(site) else { continue }
            let rows = dy.rows(from: segment.firstToken, count: segment.tokenCount)
            if let delta = action.delta {
                let context = pass.context(segment, adapter, site: site, unit: .tokens, keeps: true)
                try delta.backward(
                    rows, input: .ids(kept.ids + segment.firstToken, count: rows.rows), kept: kept.deltas?[index],
                    into: nil, context)
            }
            if let own = action.weight, let gradients = adapter.gradients {
                clearFrozenRow(rows, ids: kept.ids + segment.firstToken)
                gk_scatter_add_rows(
                    pass.team.kernel, Int64(rows.rows), Int64(width), kept.ids + segment.firstToken, rows.base,
                    Int64(rows.stride), gradients + own.offset)
            }
        }
    }

    /// Tokens whose row never learns hand on no gradient, as torch's `padding_idx`.
    private func clearFrozenRow(_ dy: Matrix, ids: UnsafePointer<Int32>) {
        guard let frozenRow else { return }
        for row in 0..<dy.rows where ids[row] == frozenRow {
            (dy.base + row * dy.stride).update(repeating: 0, count: dy.columns)
        }
    }

    private func gather(
        _ ids: UnsafePointer<Int32>, count: Int, from table: UnsafeRawPointer, type: gk_type, _ accumulate: Bool,
        _ y: Matrix, _ pass: Pass
    ) {
        gk_gather_rows(
            pass.team.kernel, Int64(count), Int64(width), ids, table, type, accumulate, y.base, Int64(y.stride))
    }
}
