import CGraftKernels
import GraftTensor

/// The token that stands for its row where one number of a row is wanted, as in classification.
package enum SummaryToken: Sendable, Equatable {
    case first
    case last
    /// The last that is not this one, which pads; the first of a row that has no other.
    case lastExcept(Int32)
    /// In a decoder that reads a row shifted right: the last place where the row itself, its
    /// source, has this.
    case lastInSource(Int32)

    /// Its place in a row.
    func place(in row: UnsafeBufferPointer<Int32>) -> Int {
        switch self {
        case .first: 0
        case .last: row.count - 1
        case .lastExcept(let padding): row.lastIndex { $0 != padding } ?? 0
        case .lastInSource(let token): row.lastIndex(of: token) ?? row.count - 1
        }
    }
}

extension Pass {
    /// What a layer's matrices have a row for.
    package enum Unit: Sendable {
        /// Each token.
        case tokens
        /// Each token whose last hidden state is read: one of each row, or all. A model's last
        /// layer needs the others only as keys and values; its queries, and whatever comes after
        /// them, are of this unit.
        case read
        /// Each token that an encoder read for the rows.
        case source
        /// Each row of the batch: what is made of the tokens read, one of each row or pooled.
        case rows
        /// Each of those that `choose` was given.
        case chosen
        /// Each bucket of distances, once for each segment.
        case distances

        /// Of the queries of a layer, and of all that comes of them.
        package static func ofLayer(_ index: Int, of count: Int) -> Unit { index + 1 < count ? .tokens : .read }
    }

    /// The tokens read, where these are one of each row.
    struct Summaries {
        let tokens: UnsafePointer<Int32>
        let positions: UnsafePointer<Int32>
        /// In which each asks alone.
        let sequences: UnsafePointer<gk_sequence>

        init(_ summary: SummaryToken, of pass: Pass) throws(GraftError) {
            let tokens = try pass.kept.allocate(Int32.self, count: pass.rowCount)
            let positions = try pass.kept.allocate(Int32.self, count: pass.rowCount)
            let sequences = try pass.kept.allocate(gk_sequence.self, count: pass.rowCount)
            for row in 0..<pass.rowCount {
                let token = pass.token(summary, ofRow: row)
                tokens[row] = Int32(token)
                positions[row] = pass.positions[Int(token)]
                sequences[row] = pass.sequences[row]
                sequences[row].query_position += token - pass.starts[row]
                sequences[row].query_start = Int64(row)
                sequences[row].query_count = 1
            }
            self.tokens = UnsafePointer(tokens)
            self.positions = UnsafePointer(positions)
            self.sequences = UnsafePointer(sequences)
        }
    }

    /// The place within the pass of the token that stands for a row.
    func token(_ summary: SummaryToken, ofRow row: Int) -> Int64 {
        let start = Int(starts[row])
        // As transformers, which is given no ids where virtual tokens are among the embeddings, and
        // so sees none that pad.
        if case .lastExcept = summary, batchTokens[row] > starts[row] { return starts[row + 1] - 1 }
        if case .lastInSource = summary, let source {
            let read = UnsafeBufferPointer(
                start: source.tokens + Int(source.starts[row]), count: source.length(ofRow: row))
            return starts[row] + Int64(min(summary.place(in: read), length(ofRow: row) - 1))
        }
        let own = UnsafeBufferPointer(start: tokens + start, count: Int(starts[row + 1]) - start)
        return starts[row] + Int64(summary.place(in: own))
    }

    /// Whether the last hidden states are those of one token of each row.
    package var readsOneToken: Bool { summaries != nil }

    private func summaries(_ unit: Unit) -> Summaries? { unit == .read ? summaries : nil }

    /// Rows of a matrix of `unit`.
    package func count(_ unit: Unit) -> Int {
        if unit == .source { return source?.tokenCount ?? 0 }
        if unit == .distances { return segments.count * distanceCount }
        if unit == .chosen { return chosen.last.map { $0.first + $0.count } ?? 0 }
        return unit == .rows || summaries(unit) != nil ? rowCount : tokenCount
    }

    /// Places of the tokens in their rows.
    func positions(_ unit: Unit) -> UnsafePointer<Int32> { summaries(unit)?.positions ?? positions }

    /// Which queries, of `unit`, ask which keys, of each token.
    func sequences(_ unit: Unit) -> UnsafePointer<gk_sequence> { summaries(unit)?.sequences ?? sequences }

    /// Which queries, of `unit`, ask which keys of what was read for their rows.
    func sourceSequences(_ unit: Unit) -> UnsafePointer<gk_sequence>? {
        unit == .read ? sourceSequences?.read : sourceSequences?.tokens
    }

    /// Rows of a segment in matrices of `unit`.
    func range(of segment: Segment, _ unit: Unit) -> (first: Int, count: Int) {
        switch unit {
        case .tokens: (segment.firstToken, segment.tokenCount)
        case .read: summaries == nil ? (segment.firstToken, segment.tokenCount) : (segment.firstRow, segment.rowCount)
        case .source:
            source.map { ($0.segments[segment.index].firstToken, $0.segments[segment.index].tokenCount) } ?? (0, 0)
        case .rows: (segment.firstRow, segment.rowCount)
        case .chosen: chosen[segment.index]
        case .distances: (segment.index * distanceCount, distanceCount)
        }
    }

    /// All rows of a matrix of `unit` at once, or those of each segment where an adapter acts at a
    /// site.
    func eachRange(at site: Int, _ unit: Unit, _ body: (_ first: Int, _ count: Int, AttachedAdapter?) -> Void) {
        guard segments.contains(where: { $0.adapter?.at(site) != nil }) else { return body(0, count(unit), nil) }
        for segment in segments {
            let (first, count) = range(of: segment, unit)
            body(first, count, segment.adapter)
        }
    }

    /// Rows of the batch before those of this pass, in matrices of `unit`: what dropout counts by.
    private func batchFirst(_ unit: Unit) -> Int {
        switch unit {
        case .tokens: batchFirstToken
        case .read: summaries == nil ? batchFirstToken : batchFirstRow
        case .source: source?.batchFirstToken ?? 0
        case .rows: batchFirstRow
        case .chosen: batchFirstChosen
        case .distances: 0
        }
    }

    /// Takes some of the tokens read, in order, as the rows of matrices of unit `.chosen`.
    ///
    /// - Parameters:
    ///   - rows: Their rows in the last hidden states.
    ///   - batchFirst: How many of the batch were chosen before them.
    package func choose(_ rows: UnsafeBufferPointer<Int32>, batchFirst: Int) {
        chosen.removeAll(keepingCapacity: true)
        batchFirstChosen = batchFirst
        var first = 0
        for segment in segments {
            let (start, count) = range(of: segment, .read)
            var next = first
            while next < rows.count, rows[next] < start + count { next += 1 }
            chosen.append((first, next - first))
            first = next
        }
    }

    /// The dropout of one site of the model, or nil where nothing is dropped. `site` is unique
    /// within the model.
    package func dropout(
        site: Int, probability: Float, width: Int, unit: Unit = .tokens, firstRow: Int = 0
    ) -> gk_dropout? {
        guard let dropoutKey, probability > 0 else { return nil }
        return gk_dropout(
            key: dropoutKey, first_element: UInt64((batchFirst(unit) + firstRow) * width),
            site: UInt32(truncatingIfNeeded: site), probability: probability)
    }

    func context(
        _ segment: Segment, _ adapter: AttachedAdapter, _ own: AttachedAdapter.BoundSite, site: Int,
        repetition: Int = 0, unit: Unit, keeps: Bool
    ) -> SiteContext {
        let first = batchFirst(unit) + range(of: segment, unit).first
        return SiteContext(
            pass: self, numbers: own.numbers, adapter: adapter, site: site, repetition: repetition, firstRow: first,
            keeps: keeps, scale: own.numbers.scale)
    }

    /// The rows of x, which has one for each token, that a matrix of `unit` has; x itself where it
    /// has all.
    package func select(_ x: Matrix, _ unit: Unit, in arena: Arena) throws(GraftError) -> Matrix {
        guard summaries(unit) != nil else { return x }
        let y = try arena.matrix(rows: rowCount, columns: x.columns)
        select(x, unit, into: y)
        return y
    }

    /// The same into y, where that has fewer rows.
    func select(_ x: Matrix, _ unit: Unit, into y: Matrix) {
        guard let summaries = summaries(unit) else { return }
        for row in 0..<rowCount {
            let token = Int(summaries.tokens[row])
            (y.base + row * y.stride).update(from: x.base + token * x.stride, count: x.columns)
        }
    }

    /// Adds the rows of y, of `unit`, to those that `select` took from x.
    func add(_ y: Matrix, _ unit: Unit, toSelectedOf x: Matrix) {
        guard let summaries = summaries(unit) else {
            return gk_add(team.kernel, Int64(x.count), 1, y.base, x.base)
        }
        for row in 0..<rowCount {
            let token = Int(summaries.tokens[row])
            gk_add(team.kernel, Int64(x.columns), 1, y.base + row * y.stride, x.base + token * x.stride)
        }
    }

    /// d(x) from d(y) for y that `select` took from x: zero for the others. dx is dy where these
    /// are all.
    package func selectBackward(_ dy: Matrix, _ unit: Unit, into dx: Matrix) {
        guard dx.base != dy.base else { return }
        for row in 0..<dx.rows { (dx.base + row * dx.stride).update(repeating: 0, count: dx.columns) }
        add(dy, unit, toSelectedOf: dx)
    }
}
