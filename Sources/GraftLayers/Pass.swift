import CGraftKernels
import GraftTensor

/// Consecutive rows of a pass that share an adapter. Rows without any belong to a segment whose
/// adapter is nil.
package struct Segment {
    package let index: Int
    package let adapter: AttachedAdapter?
    package let firstRow: Int
    package let rowCount: Int
    package let firstToken: Int
    package let tokenCount: Int
}

/// One run of some rows through a model: the rows, their adapters, threads and working memory.
///
/// A pass object is made once for a session or a trainer and used again for every call, so that
/// calls of a size seen before allocate nothing. Not for concurrent use.
package final class Pass {
    package let team: Team
    /// Lives until the backward pass is done.
    package let kept: Arena
    /// Lives while a layer runs.
    package let scratch: Arena
    /// Lives until its user rewinds it: what one run of some rows leaves for the next.
    package let between = Arena()

    package private(set) var rowCount = 0
    /// Of the batch's rows and of those that adapters put before them.
    package internal(set) var tokenCount = 0
    /// Keys in one layer: the tokens and what adapters put before them; with a cache, the tokens.
    private(set) var keyCount = 0
    package private(set) var tokens: UnsafePointer<Int32>
    package private(set) var types: UnsafePointer<Int32>
    package private(set) var positions: UnsafePointer<Int32>
    /// First token of each row within the pass, and the token count.
    package private(set) var starts: UnsafePointer<Int64>
    /// First token of each row that the batch has: those before it are virtual.
    private(set) var batchTokens: UnsafePointer<Int64>
    private(set) var sequences: UnsafePointer<gk_sequence>
    /// Of each row: how long its text is, as far as it is known.
    private var textLengths: UnsafePointer<Int32>
    /// With a cache, where the pages of the sequences' keys begin; nil without.
    private(set) var pages: UnsafePointer<Int64>?
    package internal(set) var segments: [Segment] = []
    /// Those of a part of the tokens, kept for the next part.
    var partSegments: [Segment] = []
    /// What the segments' adapters put before each row, as keys and values or as tokens.
    var prefixes: [MadeRows?] = []
    var prompts: [MadeRows?] = []
    /// Buckets of the distances in the longest row.
    var distanceCount = 0
    /// What is added to the embeddings, if anything.
    package var perturbation: Perturbation?
    /// Where the gradient of the embeddings goes, before anything is added to them: [tokens,
    /// width]. Backward comes down to it where `keptDepth` is 0.
    package var inputGradient: Matrix?

    /// Place of the pass in its batch, with what is before its rows: what dropout counts by.
    package private(set) var batchFirstRow = 0
    package internal(set) var batchFirstToken = 0

    /// What the rows' earlier tokens left, and which of its rows are the rows of this pass.
    package private(set) var cache: KeyValueCache?
    package private(set) var cacheRows: [Int] = []

    /// Whether the rows are those of a decoder that reads what an encoder makes of others.
    private(set) var readsSources = false
    /// The rows that an encoder reads, in the arenas of this pass; nil where there are none.
    package private(set) var source: Pass?
    /// The same, kept for the next call.
    private var sourcePass: Pass?
    /// With a cache of sources, where the pages of their keys begin.
    private(set) var sourcePages: UnsafePointer<Int64>?
    /// Where sources are read: which queries ask which keys of their rows' sources.
    private(set) var sourceSequences: (tokens: UnsafePointer<gk_sequence>, read: UnsafePointer<gk_sequence>)?
    /// What an encoder made of these rows, where this is a source, and where the gradient of that
    /// adds up: [tokens, width].
    var states: (hidden: Matrix, gradient: Matrix?)?

    /// See `Unit`.
    private(set) var summaries: Summaries?
    var chosen: [(first: Int, count: Int)] = []
    var batchFirstChosen = 0

    /// Layers from this depth on keep what backward needs; `Int.max` in inference.
    package var keptDepth = Int.max
    /// Whether of a layer that keeps anything only what it is given is kept, and the layer runs
    /// once more when backward comes to it (Chen et al. 2016); of the last layer, to which it comes
    /// at once, the last sub-layer alone.
    package var runsLayersAgain = false
    /// Mixes seed and step; nil when nothing is dropped out.
    package var dropoutKey: UInt64?
    package var cancelToken: CancelToken?
    /// Where to copy the hidden states after a layer (0: embeddings), if anywhere.
    package var capture: (layer: Int, into: UnsafeMutablePointer<Float>)?

    package convenience init(team: Team) throws(GraftError) {
        try self.init(team, kept: Arena(smallestBlock: 64 << 20), scratch: Arena(smallestBlock: 64 << 20))
    }

    private init(_ team: Team, kept: Arena, scratch: Arena) throws(GraftError) {
        self.team = team
        self.kept = kept
        self.scratch = scratch
        let start = try scratch.allocate(Int64.self, count: 8)
        start.update(repeating: 0, count: 8)
        let zero = UnsafeRawPointer(start)
        tokens = zero.assumingMemoryBound(to: Int32.self)
        types = tokens
        positions = tokens
        textLengths = tokens
        starts = UnsafePointer(start)
        batchTokens = starts
        sequences = zero.assumingMemoryBound(to: gk_sequence.self)
    }

    /// Takes rows `range` of `batch`, with the adapter of each given by `adapter`, and forgets what
    /// the arenas held.
    ///
    /// With a cache, whose row for each row of the range `cacheRow` says, the tokens continue what
    /// it holds.
    ///
    /// - Parameter summary: The only token of each row whose last hidden state will be read, which
    ///   spares the last layer the work on the others; nil where all will be.
    package func begin(
        _ batch: RowBatch, rows range: Range<Int>, reading summary: SummaryToken? = nil, cache: KeyValueCache? = nil,
        cacheRow: (Int) -> Int = { $0 }, adapter: (Int) -> AttachedAdapter?
    ) throws(GraftError) {
        kept.rewind()
        scratch.rewind()
        try take(batch, rows: range, cache: cache, cacheRow: cacheRow, adapter: adapter)
        try takeSources(of: batch, range, adapter: adapter)
        summaries = try summary.map { summary throws(GraftError) in try Summaries(summary, of: self) }
        try findSourceKeys()
    }

    private func take(
        _ batch: RowBatch, rows range: Range<Int>, cache: KeyValueCache?, cacheRow: (Int) -> Int,
        adapter: (Int) -> AttachedAdapter?
    ) throws(GraftError) {
        rowCount = range.count
        readsSources = batch.sourceRows != nil || cache?.sources != nil
        batchFirstRow = range.lowerBound
        self.cache = cache
        cacheRows.removeAll(keepingCapacity: true)
        if cache != nil { for row in range { cacheRows.append(cacheRow(row)) } }
        try placeRows(of: batch, range, adapter: adapter)
        let tokens = try kept.allocate(Int32.self, count: tokenCount)
        let types = try kept.allocate(Int32.self, count: tokenCount)
        let positions = try kept.allocate(Int32.self, count: tokenCount)
        let sequences = try kept.allocate(gk_sequence.self, count: rowCount)
        let textLengths = try kept.allocate(Int32.self, count: rowCount)
        var nextKey = 0
        for row in 0..<rowCount {
            let (start, own) = (Int(starts[row]), Int(batchTokens[row]))
            let length = Int(starts[row + 1]) - start
            for token in start..<own { (tokens[token], types[token]) = (0, 0) }
            let first = Int(batch.starts[range.lowerBound + row]) - own
            let readsTypes = adapter(range.lowerBound + row)?.readsTypes ?? true
            for token in own..<start + length {
                tokens[token] = batch.tokens[first + token]
                types[token] = readsTypes ? batch.types[first + token] : 0
            }
            let prefix = prefixCount(row, adapter(range.lowerBound + row))
            var keys = (start: nextKey, before: prefix)
            nextKey += prefix + length
            if let cache {
                let held = cacheRows[row]
                keys.before = cache.length(ofRow: held) + prefix
                try cache.prepare(held, adding: prefix + length)
                nextKey = keys.start + cache.pageCount(ofRow: held)
            }
            textLengths[row] = Int32(cache?.textLength(ofRow: cacheRows[row]) ?? keys.before + length)
            for position in 0..<length { positions[start + position] = Int32(keys.before + position) }
            sequences[row] = gk_sequence(
                query_start: Int64(start), query_count: Int64(length), key_start: Int64(keys.start),
                key_count: Int64(keys.before + length), query_position: Int64(keys.before),
                identity: Int64(range.lowerBound + row))
        }
        pages = try cache.map { cache throws(GraftError) in try cache.starts(ofRows: cacheRows, in: kept) }
        keyCount = cache == nil ? nextKey : tokenCount
        self.tokens = UnsafePointer(tokens)
        self.types = UnsafePointer(types)
        self.positions = UnsafePointer(positions)
        self.sequences = UnsafePointer(sequences)
        self.textLengths = UnsafePointer(textLengths)
        findSegments(adapter: { adapter(range.lowerBound + $0) })
        summaries = nil
    }

    /// Takes the rows that an encoder reads, if the batch has any.
    private func takeSources(
        of batch: RowBatch, _ range: Range<Int>, adapter: (Int) -> AttachedAdapter?
    ) throws(GraftError) {
        source = nil
        guard let rows = batch.sourceRows else { return }
        let source = if let sourcePass { sourcePass } else { try Pass(team, kept: kept, scratch: scratch) }
        sourcePass = source
        (source.dropoutKey, source.cancelToken) = (dropoutKey, cancelToken)
        source.runsLayersAgain = runsLayersAgain
        try source.take(rows, rows: range, cache: nil, cacheRow: { $0 }, adapter: adapter)
        self.source = source
    }

    /// Which keys of their sources the rows ask, if the batch or the cache has any.
    private func findSourceKeys() throws(GraftError) {
        (sourceSequences, sourcePages) = (nil, nil)
        guard source != nil || cache?.sources != nil else { return }
        sourcePages = try cache?.sources.map { held throws(GraftError) in try held.starts(ofRows: cacheRows, in: kept) }
        let tokens = try sourced(sequences)
        let read = if let summaries { try sourced(summaries.sequences) } else { tokens }
        sourceSequences = (tokens, read)
    }

    /// The same queries, which ask the keys of their rows' sources.
    private func sourced(_ sequences: UnsafePointer<gk_sequence>) throws(GraftError) -> UnsafePointer<gk_sequence> {
        let asking = try kept.allocate(gk_sequence.self, count: rowCount)
        var page = 0
        for row in 0..<rowCount {
            asking[row] = sequences[row]
            if let held = cache?.sources {
                let length = held.length(ofRow: cacheRows[row])
                (asking[row].key_start, asking[row].key_count) = (Int64(page), Int64(length))
                page += KeyValuePages.count(length)
            } else if let source {
                (asking[row].key_start, asking[row].key_count) = (source.starts[row], Int64(source.length(ofRow: row)))
            }
        }
        return UnsafePointer(asking)
    }

    /// The rows of a matrix of unit `.tokens` or `.read`, in runs of rows of the pass whose texts'
    /// lengths are alike.
    func eachRun(
        _ unit: Unit, alike kind: (Int) -> Bool, _ body: (_ first: Int, _ count: Int, _ kind: Bool) -> Void
    ) {
        let isOneOfEach = unit == .read && readsOneToken
        var row = 0
        while row < rowCount {
            let (start, own) = (row, kind(Int(textLengths[row])))
            repeat { row += 1 } while row < rowCount && kind(Int(textLengths[row])) == own
            let first = isOneOfEach ? start : Int(starts[start])
            body(first, (isOneOfEach ? row : Int(starts[row])) - first, own)
        }
    }

    func length(ofRow row: Int) -> Int { Int(starts[row + 1] - starts[row]) }

    /// Tokens of the longest row.
    var longestRow: Int { (0..<rowCount).reduce(0) { max($0, length(ofRow: $1)) } }

    /// Whether nothing of a row has been through the model: what stands before its tokens comes
    /// first.
    func isNew(_ row: Int) -> Bool { cache.map { $0.length(ofRow: cacheRows[row]) == 0 } ?? true }

    private func placeRows(
        of batch: RowBatch, _ range: Range<Int>, adapter: (Int) -> AttachedAdapter?
    ) throws(GraftError) {
        let starts = try kept.allocate(Int64.self, count: rowCount + 1)
        let batchTokens = try kept.allocate(Int64.self, count: rowCount)
        func promptCount(_ row: Int) -> Int { adapter(row)?.prompt?.count ?? 0 }
        starts[0] = 0
        for row in 0..<rowCount {
            batchTokens[row] = starts[row] + Int64(isNew(row) ? promptCount(range.lowerBound + row) : 0)
            starts[row + 1] = batchTokens[row] + Int64(batch.length(ofRow: range.lowerBound + row))
        }
        self.starts = UnsafePointer(starts)
        self.batchTokens = UnsafePointer(batchTokens)
        tokenCount = Int(starts[rowCount])
        batchFirstToken = Int(batch.starts[range.lowerBound])
        if dropoutKey != nil { for row in 0..<range.lowerBound { batchFirstToken += promptCount(row) } }
    }

    private func findSegments(adapter: (Int) -> AttachedAdapter?) {
        segments.removeAll(keepingCapacity: true)
        var first = 0
        while first < rowCount {
            let shared = adapter(first)
            var end = first + 1
            while end < rowCount, adapter(end) === shared { end += 1 }
            segments.append(
                Segment(
                    index: segments.count, adapter: shared, firstRow: first, rowCount: end - first,
                    firstToken: Int(starts[first]),
                    tokenCount: Int(starts[end] - starts[first])))
            first = end
        }
    }

    /// Bytes of working memory that were touched. Any thread may ask.
    package var residentByteCount: Int {
        team.residentByteCount + kept.residentByteCount + scratch.residentByteCount + between.residentByteCount
    }

    /// Where a row's token, counted from the batch's first, stands among those of the pass.
    package func place(row: Int, token: Int) -> Int { Int(batchTokens[row]) + token }

    /// Whether a layer at `depth` keeps what backward needs.
    package func keeps(atDepth depth: Int) -> Bool { depth >= keptDepth }

    /// Whether an adapter of this pass learns at any of some sites.
    package func learns(at sites: Range<Int>) -> Bool {
        segments.contains { segment in
            guard let adapter = segment.adapter, adapter.gradients != nil else { return false }
            return sites.contains { adapter.at($0) != nil }
        }
    }

    /// Where a layer's results live: until backward, or until the layer is done.
    package func arena(keeping: Bool) -> Arena { keeping ? kept : scratch }

    /// Called by models between layers: stops a cancelled call, and hands out the hidden states
    /// that were asked for.
    package func finishLayer(_ layer: Int, hidden: Matrix) throws(GraftError) {
        try cancelToken?.check()
        guard let capture, capture.layer == layer else { return }
        eachRowOfBatch { own, first, count in
            (capture.into + own * hidden.columns).update(
                from: hidden.base + first * hidden.stride, count: count * hidden.columns)
        }
    }
}

/// Calls `body` with a pointer to the dropout, or with nil where there is none.
package func withOptionalPointer<Value: BitwiseCopyable>(
    _ value: Value?, _ body: (UnsafePointer<Value>?) -> Void
) {
    if let value {
        withUnsafePointer(to: value) { body($0) }
    } else {
        body(nil)
    }
}
