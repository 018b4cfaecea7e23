import CGraftKernels
import GraftTensor

/// Pages of keys and values: each has those of so many tokens, in every layer, and as many holders
/// as rows and prompts have these tokens.
///
/// A page without holders is free. Memory is touched as pages are written. In bfloat16, where
/// attention rounds what it multiplies to that in any case, pages are half as large.
final class KeyValuePages {
    /// Tokens of a page.
    static let length = Int(GK_PAGE_KEYS)

    /// Pages for so many tokens.
    static func count(_ tokens: Int) -> Int { (tokens + length - 1) / length }

    private let layerCount: Int
    /// Of the keys, and of the values, of one token in one layer.
    let width: Int
    /// Of the numbers.
    let precision: Precision
    private var memory: Memory? { didSet { held.withLock { $0 = memory } } }
    /// The same, for threads that ask how much there is.
    private let held = Guarded<Memory?>(nil)
    private var holders: [Int32] = []
    private var free: [Int32] = []

    init(layerCount: Int, width: Int, precision: Precision) {
        self.layerCount = layerCount
        self.width = width
        self.precision = precision
    }

    var count: Int { holders.count }
    /// Pages that can be taken.
    var freeCount: Int { free.count }
    var residentByteCount: Int { held.withLock { $0 }?.residentByteCount ?? 0 }

    private var numberSize: Int { precision == .float32 ? 4 : 2 }
    /// Bytes of the keys, or the values, of a page in one layer.
    private var partSize: Int { Self.length * width * numberSize }
    private var pageSize: Int { 2 * layerCount * partSize }

    /// Makes room for so many pages in all. Those that are held keep their numbers and what they
    /// have.
    func reserve(_ wanted: Int) throws(GraftError) {
        guard wanted > count else { return }
        let (size, overflow) = wanted.multipliedReportingOverflow(by: pageSize)
        guard !overflow, size < 1 << 46, wanted < Int32.max else {
            throw GraftError(
                .outOfMemory,
                "keys and values of \(wanted) pages of \(Self.length) tokens are more than any machine has")
        }
        try Memory.require(32 * wanted, to: "counting \(wanted) pages of keys and values")
        let larger = try Memory(byteCount: size)
        if let memory {
            for page in holders.indices where holders[page] > 0 {
                (larger.base + page * pageSize).copyMemory(from: memory.base + page * pageSize, byteCount: pageSize)
            }
        }
        memory = larger
        for page in (count..<wanted).reversed() { free.append(Int32(page)) }
        holders.append(contentsOf: repeatElement(0, count: wanted - count))
    }

    /// A free page, with one holder now; nil where there is none.
    func take() -> Int32? {
        guard let page = free.popLast() else { return nil }
        holders[Int(page)] = 1
        return page
    }

    func hold(_ page: Int32) { holders[Int(page)] += 1 }

    func release(_ page: Int32) {
        holders[Int(page)] -= 1
        if holders[Int(page)] == 0 { free.append(page) }
    }

    func isShared(_ page: Int32) -> Bool { holders[Int(page)] > 1 }

    /// Copies the first tokens of a page to another, in every layer.
    func copy(_ page: Int32, to other: Int32, tokenCount: Int) {
        guard let memory else { return }
        for part in 0..<2 * layerCount {
            let offset = part * partSize
            (memory.base + Int(other) * pageSize + offset).copyMemory(
                from: memory.base + Int(page) * pageSize + offset, byteCount: tokenCount * width * numberSize)
        }
    }

    /// The row of a page's first key in the keys of a layer, and of its first value in the values.
    func firstRow(_ page: Int32) -> Int64 { Int64(page) * Int64(2 * layerCount * Self.length) }

    /// Keys and values of a layer, in which `firstRow` counts: numbers of `precision`.
    func keysAndValues(layer: Int) -> (k: Matrix, v: Matrix)? {
        guard let memory else { return nil }
        func part(_ number: Int) -> Matrix {
            Matrix((memory.base + number * partSize).assumingMemoryBound(to: Float.self), rows: count, columns: width)
        }
        return (part(2 * layer), part(2 * layer + 1))
    }

    /// Where the keys of each page of some rows begin, row after row, as attention is told.
    ///
    /// - Parameter own: A row's pages.
    func starts(
        of rows: [Int], in arena: Arena, _ own: (Int) -> [Int32]
    ) throws(GraftError) -> UnsafePointer<Int64> {
        let starts = try arena.allocate(Int64.self, count: rows.reduce(0) { $0 + own($1).count })
        var next = 0
        for row in rows {
            for page in own(row) {
                starts[next] = firstRow(page)
                next += 1
            }
        }
        return UnsafePointer(starts)
    }

    /// Writes the key and the value of a token of a row whose pages are `own`.
    func write(
        _ key: UnsafePointer<Float>, _ value: UnsafePointer<Float>, ofToken token: Int, of own: [Int32],
        to matrices: (k: Matrix, v: Matrix)
    ) {
        let row = Int(firstRow(own[token / Self.length])) + token % Self.length
        write(key, to: matrices.k, row: row)
        write(value, to: matrices.v, row: row)
    }

    private func write(_ numbers: UnsafePointer<Float>, to matrix: Matrix, row: Int) {
        let place = UnsafeMutableRawPointer(matrix.base) + row * width * numberSize
        if precision == .float32 {
            place.copyMemory(from: numbers, byteCount: 4 * width)
        } else {
            gk_from_float32(Int64(width), numbers, precision.kernelType, place)
        }
    }
}
