import CGraftKernels
import GraftTensor

/// y += E[ids]: rows of a frozen table [rowCount, width], read where they are stored.
package final class Embedding: @unchecked Sendable {
    private enum Table {
        /// In the checkpoint's file, whose mapping the owner keeps alive.
        case stored(UnsafeRawPointer, gk_type, owner: AnyObject)
        /// In the panels of a product that has the same weight.
        case packed(PackedWeight)
    }

    private let table: Table
    package let rowCount: Int
    package let width: Int
    package let site: Int
    private let frozenRow: Int32?

    package struct Kept: BitwiseCopyable {
        let ids: UnsafePointer<Int32>
        let deltas: UnsafeMutablePointer<Matrix?>?
    }

    package convenience init(
        table: UnsafeRawPointer, type: gk_type, rowCount: Int, width: Int, site: Int, frozenRow: Int? = nil,
        owner: AnyObject
    ) {
        self.init(
            .stored(table, type, owner: owner), rowCount: rowCount, width: width, site: site,
            frozenRow: frozenRow.map { Int32(clamping: $0) })
    }

    private init(_ table: Table, rowCount: Int, width: Int, site: Int, frozenRow: Int32?) {
        self.table = table
        self.rowCount = rowCount
        self.width = width
        self.site = site
        self.frozenRow = frozenRow
    }

    /// The same table out of a product's weight, the numbers it shares with this one, so that memory holds them once;
    /// or as it was, where packing rounded them.
    package func tied(to weight: PackedWeight) -> Embedding {
        guard case .stored(_, let type, _) = table, weight.precision.holds(type) else { return self }
        return Embedding(.packed(weight), rowCount: rowCount, width: width, site: site, frozenRow: frozenRow)
    }

    /// `ids`, one for each token of the pass, are in range.
    package func forward(
        _ ids: UnsafePointer<Int32>, into y: Matrix, accumulate: Bool, keeps: Bool, pass: Pass
    ) throws(GraftError) -> Kept {
        guard pass.segments.contains(where: { $0.adapter?.at(site) != nil }) else {
            try gather(ids, from: table, accumulate, y, pass)
            return Kept(ids: ids, deltas: nil)
        }
        let deltas = try pass.arena(keeping: keeps).allocate(Matrix?.self, count: pass.segments.count)
        for (index, segment) in pass.segments.enumerated() {
            (deltas + index).initialize(to: nil)
            let rows = y.rows(from: segment.firstToken, count: segment.tokenCount)
            let action = segment.adapter?.at(site)
            if let adapter = segment.adapter, let own = action?.weight {
                let own = Table.stored(adapter.values + own.offset, gk_type(GK_FLOAT32), owner: adapter)
                try gather(ids + segment.firstToken, from: own, accumulate, rows, pass)
            } else {
                try gather(ids + segment.firstToken, from: table, accumulate, rows, pass)
            }
            if let adapter = segment.adapter, let delta = action?.delta {
                let context = pass.context(segment, adapter, site: site, unit: .tokens, keeps: keeps)
                deltas[index] = try delta.forward(
                    .ids(ids + segment.firstToken, count: rows.rows), into: rows, context)
            }
        }
        return Kept(ids: ids, deltas: deltas)
    }

    /// Adds to the gradients of an adapter's own table or delta; a frozen row's stays zero, as torch's `padding_idx`.
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
            if let own = action.weight, !own.isFrozen, let gradients = adapter.gradients {
                gk_scatter_add_rows(
                    pass.team.kernel, Int64(rows.rows), Int64(width), kept.ids + segment.firstToken, rows.base,
                    Int64(rows.stride), gradients + own.offset)
                if let frozenRow {
                    (gradients + own.offset + Int(frozenRow) * width).update(repeating: 0, count: width)
                }
            }
        }
    }

    /// A row for each row of y.
    private func gather(
        _ ids: UnsafePointer<Int32>, from table: Table, _ accumulate: Bool, _ y: Matrix, _ pass: Pass
    ) throws(GraftError) {
        switch table {
        case .stored(let table, let type, _):
            gk_gather_rows(
                pass.team.kernel, Int64(y.rows), Int64(width), ids, table, type, accumulate, y.base, Int64(y.stride))
        case .packed(let weight):
            let mark = pass.scratch.mark
            defer { pass.scratch.rewind(to: mark) }
            let unpacked = try pass.scratch.allocate(Float.self, count: width)
            for row in 0..<y.rows {
                let out = y.base + row * y.stride
                weight.unpack(firstRow: Int(ids[row]), rowCount: 1, into: accumulate ? unpacked : out)
                if accumulate { gk_add(pass.team.kernel, Int64(width), 1, unpacked, out) }
            }
        }
    }
}
