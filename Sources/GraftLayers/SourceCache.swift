import GraftTensor

/// Keys and values that a decoder's layers made of what an encoder read for each row, so that the
/// encoder runs once for a row, however long its target becomes.
///
/// Rows are those of the key/value cache that this belongs to. What it holds was computed with the
/// adapters that the rows had then. Not for concurrent use.
package final class SourceCache {
    private struct Source {
        let pages: [Int32]
        let length: Int
    }

    private let pages: KeyValuePages
    private var rows: [Int: Source] = [:]

    init(layerCount: Int, width: Int, precision: Precision) {
        pages = KeyValuePages(layerCount: layerCount, width: width, precision: precision)
    }

    var residentByteCount: Int { pages.residentByteCount }

    /// Makes room for a source of so many tokens, which some rows have in common.
    package func begin(_ sharing: [Int], length: Int) throws(GraftError) {
        var own: [Int32] = []
        let count = KeyValuePages.count(length)
        if pages.freeCount < count { try pages.reserve(pages.count + max(count, pages.count / 2)) }
        for _ in 0..<count { if let page = pages.take() { own.append(page) } }
        for (index, row) in sharing.enumerated() {
            if index > 0 { for page in own { pages.hold(page) } }
            rows[row] = Source(pages: own, length: length)
        }
    }

    func remove(_ row: Int) {
        for page in rows.removeValue(forKey: row)?.pages ?? [] { pages.release(page) }
    }

    func length(ofRow row: Int) -> Int { rows[row]?.length ?? 0 }

    /// Where the keys of each page of some rows begin.
    func starts(ofRows numbers: [Int], in arena: Arena) throws(GraftError) -> UnsafePointer<Int64> {
        try pages.starts(of: numbers, in: arena) { rows[$0]?.pages ?? [] }
    }

    /// The keys and values of all rows in a layer.
    func held(layer: Int) throws(GraftError) -> (k: Matrix, v: Matrix) {
        guard let held = pages.keysAndValues(layer: layer) else {
            throw GraftError(.internal, "nothing was read for the rows")
        }
        return held
    }

    /// Keeps the keys and values of a pass's sources.
    func keep(layer: Int, _ k: Matrix, _ v: Matrix, pass: Pass) throws(GraftError) {
        let held = try held(layer: layer)
        guard let source = pass.source else { return }
        for (index, number) in pass.cacheRows.enumerated() {
            guard let row = rows[number], row.length == source.length(ofRow: index) else {
                throw GraftError(.internal, "the source of row \(number) has another length than was reserved")
            }
            let first = Int(source.starts[index])
            for token in 0..<row.length {
                pages.write(
                    k.base + (first + token) * k.stride, v.base + (first + token) * v.stride, ofToken: token,
                    of: row.pages, to: held)
            }
        }
    }
}
