import GraftTensor

/// Keys and values that a decoder's layers made of what an encoder read for each row, so that the
/// encoder runs once for a row, however long its target becomes.
///
/// What it holds was computed with the adapters that the rows had then. Not for concurrent use.
package final class SourceCache {
    private let layerCount: Int
    /// Of the keys, and of the values, of one token in one layer.
    private let width: Int
    /// Where each row begins in a layer's keys and values, and where the last one ends.
    private var starts: [Int] = [0]
    private var memory: Memory? { didSet { held.withLock { $0 = memory } } }
    /// The same, for threads that ask how much there is.
    private let held = Guarded<Memory?>(nil)

    init(layerCount: Int, width: Int) {
        self.layerCount = layerCount
        self.width = width
    }

    var residentByteCount: Int { held.withLock { $0 }?.residentByteCount ?? 0 }

    /// Forgets everything and makes room for rows whose sources have so many tokens.
    package func begin(lengths: [Int]) throws(GraftError) {
        starts = [0]
        for length in lengths { starts.append(starts[starts.count - 1] + length) }
        let numbers = 2 * layerCount * width * starts[starts.count - 1]
        try Memory.require(4 * numbers, to: "keys and values of sources of \(starts[starts.count - 1]) tokens")
        if memory.map({ $0.byteCount < numbers * 4 }) ?? true { memory = try Memory(byteCount: numbers * 4) }
    }

    /// A row's tokens, in matrices of all rows.
    func range(ofRow row: Int) -> Range<Int> { starts[row]..<starts[row + 1] }

    /// The keys and values of all rows in a layer.
    func held(layer: Int) throws(GraftError) -> (k: Matrix, v: Matrix) {
        guard let memory else { throw GraftError(.internal, "nothing was read for the rows") }
        let total = starts[starts.count - 1]
        return (
            Matrix(memory.floats(from: 2 * layer * total * width), rows: total, columns: width),
            Matrix(memory.floats(from: (2 * layer + 1) * total * width), rows: total, columns: width)
        )
    }

    /// Keeps the keys and values of a pass's sources.
    func keep(layer: Int, _ k: Matrix, _ v: Matrix, pass: Pass) throws(GraftError) {
        let (keys, values) = try held(layer: layer)
        guard let source = pass.source else { return }
        for (index, row) in pass.cacheRows.enumerated() {
            let (first, count) = (Int(source.starts[index]), source.length(ofRow: index))
            k.rows(from: first, count: count).copy(to: keys.rows(from: starts[row], count: count))
            v.rows(from: first, count: count).copy(to: values.rows(from: starts[row], count: count))
        }
    }
}
