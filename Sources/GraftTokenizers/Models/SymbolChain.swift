/// A word under way in byte-pair encoding: symbols in a chain, neighbours merged until no merge is
/// left.
///
/// Short words look for the best pair in a plain array; long ones keep a heap, so that a word of
/// any length takes time n log n.
struct SymbolChain: ~Copyable {
    struct Symbol: BitwiseCopyable {
        var id: Int32
        /// Bytes of the text; 0 for a symbol that was merged into the one before it.
        var length: Int32
        var previous: Int32
        var next: Int32
        /// The merge with the next symbol.
        var merge: MergeTable.Merge
    }

    /// A merge that may be due. It is stale when the symbols at its place have changed since.
    struct Candidate: BitwiseCopyable, Comparable {
        var rank: UInt32
        var position: Int32

        static func < (left: Candidate, right: Candidate) -> Bool {
            (left.rank, left.position) < (right.rank, right.position)
        }
    }

    private var symbols = Buffer<Symbol>(capacity: 64)
    private var heap = Buffer<Candidate>(capacity: 64)
    private static let longestForScan = 48

    mutating func removeAll() { symbols.count = 0 }

    /// Gives back what a long word took.
    mutating func release() {
        symbols.releaseIfLarger(than: 1 << 16)
        heap.releaseIfLarger(than: 1 << 16)
    }

    mutating func append(id: Int32, length: Int) {
        symbols.append(
            Symbol(
                id: id, length: Int32(truncatingIfNeeded: length), previous: 0, next: 0,
                merge: MergeTable.Merge(rank: .max, result: -1)))
    }

    /// Merges what can be merged, the earliest merge first and of equal ones the leftmost.
    mutating func mergeAll(_ merges: borrowing MergeTable) {
        if symbols.count <= Self.longestForScan { mergeByScanning(merges) } else { mergeByHeap(merges) }
    }

    /// Appends the symbols as tokens.
    func appendTokens(start: Int32, piece: Int32, to tokens: inout Buffer<FoundToken>) {
        var begin = Int(start)
        for index in 0..<symbols.count where symbols[index].length > 0 {
            let end = begin + Int(symbols[index].length)
            tokens.append(
                FoundToken(
                    id: symbols[index].id, start: Int32(clamping: begin), end: Int32(clamping: end), piece: piece))
            begin = end
        }
    }

    // MARK: Short words

    private mutating func mergeByScanning(_ merges: borrowing MergeTable) {
        var count = symbols.count
        guard count > 1 else { return }
        let base = symbols.base
        for index in 0..<count - 1 { base[index].merge = merges.merge(base[index].id, base[index + 1].id) }
        base[count - 1].merge.rank = .max
        while count > 1 {
            var best = 0
            var bestRank = base[0].merge.rank
            for index in 1..<count - 1 where base[index].merge.rank < bestRank {
                best = index
                bestRank = base[index].merge.rank
            }
            if bestRank == .max { break }
            base[best].id = base[best].merge.result
            base[best].length += base[best + 1].length
            count -= 1
            for index in best + 1..<max(count, best + 1) { base[index] = base[index + 1] }
            if best + 1 < count {
                base[best].merge = merges.merge(base[best].id, base[best + 1].id)
            } else {
                base[best].merge.rank = .max
            }
            if best > 0 { base[best - 1].merge = merges.merge(base[best - 1].id, base[best].id) }
        }
        symbols.count = count
    }

    // MARK: Long words

    private mutating func mergeByHeap(_ merges: borrowing MergeTable) {
        heap.count = 0
        let count = symbols.count
        for index in 0..<count {
            symbols[index].previous = Int32(index - 1)
            symbols[index].next = index + 1 < count ? Int32(index + 1) : -1
            if index + 1 < count { updateMerge(at: Int32(index), merges) }
        }
        while let candidate = heap.popLeast() {
            let symbol = symbols[Int(candidate.position)]
            guard symbol.length > 0, symbol.next >= 0, symbol.merge.rank == candidate.rank else { continue }
            let right = symbols[Int(symbol.next)]
            symbols[Int(symbol.next)].length = 0
            symbols[Int(candidate.position)].id = symbol.merge.result
            symbols[Int(candidate.position)].length += right.length
            symbols[Int(candidate.position)].next = right.next
            symbols[Int(candidate.position)].merge.rank = .max
            if right.next >= 0 {
                symbols[Int(right.next)].previous = candidate.position
                updateMerge(at: candidate.position, merges)
            }
            if symbol.previous >= 0 { updateMerge(at: symbol.previous, merges) }
        }
    }

    private mutating func updateMerge(at position: Int32, _ merges: borrowing MergeTable) {
        let symbol = symbols[Int(position)]
        let merge = merges.merge(symbol.id, symbols[Int(symbol.next)].id)
        symbols[Int(position)].merge = merge
        if merge.rank != .max { heap.push(Candidate(rank: merge.rank, position: position)) }
    }
}
