import CGraftKernels
import GraftTensor

/// Keys and values of the tokens that rows have had, layer by layer, so that the next token costs
/// one token's work.
///
/// What it holds was computed with the adapters that the rows had then: it serves one composition
/// of each row, from `begin` to the next. Memory is taken for the longest a row may become and
/// touched as it grows. Not for concurrent use.
package final class KeyValueCache {
    private let layerCount: Int
    /// Of the keys, and of the values, of one token in one layer.
    private let width: Int
    /// Tokens that each row holds, with what its adapter put before them.
    package private(set) var lengths: [Int] = []
    /// Where each row begins in a layer's keys and values, and where the last one ends.
    private var starts: [Int] = [0]
    /// Of what an encoder read for the rows; nil where there is none.
    package let sources: SourceCache?
    private var memory: Memory? { didSet { held.withLock { $0 = memory } } }
    /// The same, for threads that ask how much there is.
    private let held = Guarded<Memory?>(nil)

    package init(layerCount: Int, width: Int, hasSources: Bool = false) {
        self.layerCount = layerCount
        self.width = width
        sources = hasSources ? SourceCache(layerCount: layerCount, width: width) : nil
    }

    package var residentByteCount: Int {
        (held.withLock { $0 }?.residentByteCount ?? 0) + (sources?.residentByteCount ?? 0)
    }

    /// Forgets everything and makes room for rows of at most so many tokens.
    package func begin(capacities: [Int]) throws(GraftError) {
        lengths = Array(repeating: 0, count: capacities.count)
        starts = [0]
        for capacity in capacities { starts.append(starts[starts.count - 1] + capacity) }
        let total = starts[starts.count - 1]
        let (numbers, overflow) = total.multipliedReportingOverflow(by: 2 * layerCount * width)
        guard !overflow, numbers < 1 << 44 else {
            throw GraftError(.outOfMemory, "keys and values of \(total) tokens are more than any machine has")
        }
        if memory.map({ $0.byteCount < numbers * 4 }) ?? true { memory = try Memory(byteCount: numbers * 4) }
    }

    func capacity(ofRow row: Int) -> Int { starts[row + 1] - starts[row] }

    /// First of a row's tokens, in matrices of all rows.
    func start(ofRow row: Int) -> Int { starts[row] }

    /// Adds the keys and values of a pass's tokens; returns those of all rows and tokens, where the
    /// pass's sequences point into. Each row of the cache ends with what is added; `advance` makes
    /// it stay.
    package func extend(layer: Int, _ k: Matrix, _ v: Matrix, pass: Pass) -> (k: Matrix, v: Matrix) {
        guard let memory else { return (k, v) }
        let total = starts[starts.count - 1]
        let keys = Matrix(memory.floats(from: 2 * layer * total * width), rows: total, columns: width)
        let values = Matrix(memory.floats(from: (2 * layer + 1) * total * width), rows: total, columns: width)
        for segment in pass.segments {
            for index in segment.firstRow..<segment.firstRow + segment.rowCount {
                let row = pass.cacheRows[index]
                pass.writeKeys(
                    ofRow: index, of: segment, layer: layer, k, v, into: keys, values, at: starts[row] + lengths[row])
            }
        }
        return (keys, values)
    }

    /// After all layers: the tokens of the pass belong to their rows, and what is before them.
    package func advance(_ pass: Pass) {
        for segment in pass.segments {
            for index in segment.firstRow..<segment.firstRow + segment.rowCount {
                let tokens = Int(pass.starts[index + 1] - pass.starts[index])
                lengths[pass.cacheRows[index]] += pass.prefixCount(index, segment.adapter) + tokens
            }
        }
    }
}
