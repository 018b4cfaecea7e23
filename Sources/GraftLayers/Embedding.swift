import CGraftKernels
import GraftTensor

/// y += E[ids]: rows of a frozen table [rowCount, width], read where they are stored.
package final class Embedding: @unchecked Sendable {
    private enum Table {
        /// In the checkpoint's file, whose mapping the owner keeps alive. `release` says that
        /// rows have been read; nil where there is nobody to tell.
        case stored(UnsafeRawPointer, gk_type, owner: AnyObject, release: (@Sendable () -> Void)?)
        /// In the panels of a product that has the same weight.
        case packed(PackedWeight)
    }

    /// So many are read before `release` is called, each of which may have brought a megabyte.
    private static let rowsToRelease = 32

    private let table: Table
    package let rowCount: Int
    package let width: Int
    package let site: Int
    private let frozenRow: Int32?

    package struct Kept: BitwiseCopyable {
        let ids: UnsafePointer<Int32>
        /// For each segment, what the action there kept.
        let actions: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    }

    package convenience init(
        table: UnsafeRawPointer, type: gk_type, rowCount: Int, width: Int, site: Int, frozenRow: Int? = nil,
        owner: AnyObject, release: (@Sendable () -> Void)? = nil
    ) {
        self.init(
            .stored(table, type, owner: owner, release: release), rowCount: rowCount, width: width, site: site,
            frozenRow: frozenRow.map { Int32(clamping: $0) })
    }

    private init(_ table: Table, rowCount: Int, width: Int, site: Int, frozenRow: Int32?) {
        self.table = table
        self.rowCount = rowCount
        self.width = width
        self.site = site
        self.frozenRow = frozenRow
    }

    /// The same table out of a product's weight, the numbers it shares with this one, so that
    /// memory holds them once; or as it was, where packing rounded them.
    package func tied(to weight: PackedWeight) -> Embedding {
        guard case .stored(_, let type, _, _) = table, weight.precision.holds(type) else { return self }
        return Embedding(.packed(weight), rowCount: rowCount, width: width, site: site, frozenRow: frozenRow)
    }

    /// `ids`, one for each token of the pass, are in range.
    package func forward(
        _ ids: UnsafePointer<Int32>, into y: Matrix, accumulate: Bool, keeps: Bool, pass: Pass
    ) throws(GraftError) -> Kept {
        guard pass.segments.contains(where: { $0.adapter?.at(site) != nil }) else {
            try gather(ids, from: table, accumulate, y, pass)
            return Kept(ids: ids, actions: nil)
        }
        let actions = try pass.arena(keeping: keeps).allocate(
            UnsafeMutableRawPointer?.self, count: pass.segments.count)
        for segment in pass.segments {
            let slot = actions + segment.index
            slot.initialize(to: nil)
            let rows = y.rows(from: segment.firstToken, count: segment.tokenCount)
            let ids = ids + segment.firstToken
            guard let adapter = segment.adapter, let own = adapter.at(site) else {
                try gather(ids, from: table, accumulate, rows, pass)
                continue
            }
            let table =
                own.weight.map { Table.stored($0.values, gk_type(GK_FLOAT32), owner: adapter, release: nil) }
                ?? self.table
            let action = own.action?.embedding
            let isApart = accumulate && action?.changesOutput ?? false
            let looked = isApart ? try pass.scratch.matrix(rows: rows.rows, columns: width) : rows
            try gather(ids, from: table, accumulate && !isApart, looked, pass)
            if let action {
                let context = pass.context(segment, adapter, own, site: site, unit: .tokens, keeps: keeps)
                slot.pointee = try action.forward(ids, into: looked, EmbeddingModule(self, own), context)
            }
            if isApart { pass.team.add(looked, to: rows) }
        }
        return Kept(ids: ids, actions: actions)
    }

    /// Adds to the gradients of an adapter's own table or action; a frozen row's stays zero, as
    /// torch's `padding_idx`.
    package func backward(_ dy: Matrix, _ kept: Kept, pass: Pass) throws(GraftError) {
        for segment in pass.segments {
            guard let adapter = segment.adapter, let own = adapter.at(site) else { continue }
            let rows = dy.rows(from: segment.firstToken, count: segment.tokenCount)
            let ids = kept.ids + segment.firstToken
            if let action = own.action?.embedding {
                let context = pass.context(segment, adapter, own, site: site, unit: .tokens, keeps: true)
                try action.backward(rows, ids: ids, kept: kept.actions?[segment.index], context)
            }
            if let gradients = own.weight?.gradients {
                gk_scatter_add_rows(
                    pass.team.kernel, Int64(rows.rows), Int64(width), ids, rows.base, Int64(rows.stride), gradients)
                if let frozenRow { (gradients + Int(frozenRow) * width).update(repeating: 0, count: width) }
            }
        }
    }

    /// Rows `first ..< first + rows.rows` of the table.
    func copyRows(from first: Int, into rows: Matrix) {
        switch table {
        case .stored(let table, let type, _, _):
            let start = table + first * Int(gk_row_size(type, Int64(width)))
            gk_to_float32(Int64(rows.count), start, type, rows.base)
        case .packed(let weight): weight.unpack(firstRow: first, rowCount: rows.rows, into: rows.base)
        }
    }

    /// A row for each row of y.
    private func gather(
        _ ids: UnsafePointer<Int32>, from table: Table, _ accumulate: Bool, _ y: Matrix, _ pass: Pass
    ) throws(GraftError) {
        switch table {
        case .stored(let table, let type, _, let release):
            let most = release == nil ? max(y.rows, 1) : Self.rowsToRelease
            for first in stride(from: 0, to: y.rows, by: most) {
                let own = y.rows(from: first, count: min(most, y.rows - first))
                gk_gather_rows(
                    pass.team.kernel, Int64(own.rows), Int64(width), ids + first, table, type, accumulate, own.base,
                    Int64(own.stride))
                release?()
            }
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
