import GraftTensor

/// Keys and values of the tokens that rows have had, layer by layer, so that the next token costs
/// one token's work.
///
/// They lie in pages. A row has as many as its tokens fill, and may share full ones with others; a
/// page that it shares and writes to is copied first. Rows come and go at any time but while a pass
/// runs. What a row holds was computed with the adapter that it had then. Not for concurrent use.
package final class KeyValueCache {
    private struct Row {
        var pages: [Int32] = []
        /// Tokens that it holds, with what its adapter put before them.
        var length = 0
        /// Of the text that it is part of, where that is longer than what goes through the model
        /// next, or shorter, as with guesses.
        var textLength: Int?
        /// The most that it may hold; nil for a number that no row has.
        var capacity: Int?
    }

    private let pages: KeyValuePages
    /// Of the keys and values that it holds.
    package var precision: Precision { pages.precision }
    private var rows: [Row] = []
    private var unused: [Int] = []
    /// Pages that the rows may come to have, if none is shared.
    private var reserved = 0
    /// Pages of rows that were, or are, by their tokens. The rows come first: they never lack a
    /// page for these.
    private var prompts = PromptPages()

    /// Of what an encoder read for the rows; nil where there is none.
    package let sources: SourceCache?

    package init(layerCount: Int, width: Int, precision: Precision, hasSources: Bool = false) {
        pages = KeyValuePages(layerCount: layerCount, width: width, precision: precision)
        sources = hasSources ? SourceCache(layerCount: layerCount, width: width, precision: precision) : nil
    }

    package var residentByteCount: Int { pages.residentByteCount + (sources?.residentByteCount ?? 0) }

    /// Tokens of a page.
    package static var pageLength: Int { KeyValuePages.length }

    /// Pages for so many tokens.
    private static func count(_ tokens: Int) -> Int { KeyValuePages.count(tokens) }

    // MARK: Rows

    /// Rows of at most so many tokens each; returns their numbers.
    package func add(capacities: [Int]) throws(GraftError) -> [Int] {
        let wanted = capacities.reduce(0) { $0 + Self.count($1) }
        try Memory.require(16 * (wanted + 8 * capacities.count), to: "the pages of \(capacities.count) rows")
        try pages.reserve(reserved + wanted)
        reserved += wanted
        var added: [Int] = []
        for capacity in capacities {
            if unused.isEmpty {
                unused.append(rows.count)
                rows.append(Row())
            }
            let row = unused.removeLast()
            rows[row] = Row(capacity: capacity)
            rows[row].pages.reserveCapacity(Self.count(capacity))
            added.append(row)
        }
        return added
    }

    package func remove(_ row: Int) {
        guard let capacity = rows[row].capacity else { return }
        for page in rows[row].pages { pages.release(page) }
        sources?.remove(row)
        reserved -= Self.count(capacity)
        rows[row] = Row()
        unused.append(row)
    }

    package func length(ofRow row: Int) -> Int { rows[row].length }

    /// Says how long the text is that a row is part of, which its keys may depend on.
    package func setTextLength(_ length: Int, ofRow row: Int) { rows[row].textLength = length }

    func textLength(ofRow row: Int) -> Int? { rows[row].textLength }

    /// Has a row forget what it holds behind its first tokens.
    package func shorten(_ row: Int, to length: Int) {
        guard length < rows[row].length else { return }
        rows[row].length = length
        while rows[row].pages.count > Self.count(length) { pages.release(rows[row].pages.removeLast()) }
    }

    /// Lets each of the first rows hold what another did, whose pages it shares; those behind them
    /// hold nothing. All may grow equally far.
    package func reorder(_ numbers: [Int], from origins: [Int]) {
        let before = numbers.map { rows[$0] }
        for origin in origins { for page in before[origin].pages { pages.hold(page) } }
        for row in before { for page in row.pages { pages.release(page) } }
        for (index, number) in numbers.enumerated() {
            let origin = index < origins.count ? before[origins[index]] : Row()
            (rows[number].pages, rows[number].length) = (origin.pages, origin.length)
        }
    }

    // MARK: Prompts

    /// Gives a row, which holds nothing yet, the pages of tokens that are known.
    ///
    /// - Parameters:
    ///   - tokens: Those that the row may be spared; virtual ones have numbers below 0.
    ///   - least: Tokens that it has to be spared, or none.
    /// - Returns: How many it is spared.
    package func find(_ tokens: ArraySlice<Int32>, owner: [UInt64], least: Int, forRow row: Int) -> Int {
        let found = prompts.find(Array(tokens), owner: owner)
        let length = found.count * KeyValuePages.length
        guard length >= least else { return 0 }
        for page in found { pages.hold(page) }
        rows[row].pages.append(contentsOf: found)
        rows[row].length = length
        return length
    }

    /// Remembers the full pages of a row of these tokens. Where they are known already, the row has
    /// the known ones from now on: it holds all pages by which its own are found.
    package func remember(_ tokens: [Int32], owner: [UInt64], ofRow row: Int) {
        let full = rows[row].length / KeyValuePages.length
        let known = Array(tokens.prefix(full * KeyValuePages.length))
        for (index, known) in prompts.add(known, owner: owner, pages: rows[row].pages).enumerated() {
            let own = rows[row].pages[index]
            if known.page != own {
                pages.release(own)
                rows[row].pages[index] = known.page
            } else if !known.isNew {
                continue
            }
            pages.hold(known.page)
        }
    }

    /// A page for a row: a free one, or one that only a prompt holds. There always is one, since
    /// there are as many as the rows reserved.
    private func take() throws(GraftError) -> Int32 {
        if let page = pages.take() { return page }
        if let page = prompts.removeOldest(where: { !pages.isShared($0) }) {
            pages.release(page)
            if let page = pages.take() { return page }
        }
        throw GraftError(.internal, "the rows have more pages of keys and values than they reserved")
    }

    // MARK: Passes

    /// Makes room for the next tokens of a row, before a pass.
    func prepare(_ row: Int, adding count: Int) throws(GraftError) {
        let (length, end) = (rows[row].length, rows[row].length + count)
        guard end <= rows[row].capacity ?? 0 else {
            throw GraftError(.internal, "row \(row) has outgrown the room for its keys and values")
        }
        let open = length % KeyValuePages.length
        if open > 0, let last = rows[row].pages.last, pages.isShared(last) {
            let own = try take()
            pages.copy(last, to: own, tokenCount: open)
            pages.release(last)
            rows[row].pages[rows[row].pages.count - 1] = own
        }
        while rows[row].pages.count < Self.count(end) { rows[row].pages.append(try take()) }
    }

    func pageCount(ofRow row: Int) -> Int { rows[row].pages.count }

    /// Where the keys of each page of some rows begin.
    func starts(ofRows numbers: [Int], in arena: Arena) throws(GraftError) -> UnsafePointer<Int64> {
        try pages.starts(of: numbers, in: arena) { rows[$0].pages }
    }

    /// Adds the keys and values of a pass's tokens; returns those of all rows, which lie in the
    /// pass's pages and are of `precision`. Each row of the cache ends with what is added;
    /// `advance` makes it stay.
    func extend(layer: Int, _ k: Matrix, _ v: Matrix, pass: Pass) -> (k: Matrix, v: Matrix) {
        guard let (keys, values) = pages.keysAndValues(layer: layer) else { return (k, v) }
        for segment in pass.segments {
            for index in segment.firstRow..<segment.firstRow + segment.rowCount {
                let row = pass.cacheRows[index]
                var next = rows[row].length
                pass.eachKey(ofRow: index, of: segment, layer: layer, k, v) { key, value in
                    pages.write(key, value, ofToken: next, of: rows[row].pages, to: (keys, values))
                    next += 1
                }
            }
        }
        return (keys, values)
    }

    /// After all layers: the tokens of the pass belong to their rows, and what is before them.
    package func advance(_ pass: Pass) {
        for segment in pass.segments {
            for index in segment.firstRow..<segment.firstRow + segment.rowCount {
                rows[pass.cacheRows[index]].length +=
                    pass.prefixCount(index, segment.adapter) + pass.length(ofRow: index)
            }
        }
    }
}
