import GraftTensor

/// Some of the tokens as if they were all: for sub-layers in which tokens do not read each other,
/// so that what lies between their products stays small however long the rows are.
extension Pass {
    private static let tokensInPart = 512

    /// How many parts the rows of a matrix of unit `.tokens` or `.read` make.
    package func partCount(_ unit: Unit) -> Int {
        unit == .read && readsOneToken ? 1 : max((count(unit) + Self.tokensInPart - 1) / Self.tokensInPart, 1)
    }

    /// Calls `body` with the pass of the tokens of one part of several alone, and says which rows
    /// they are.
    package func within(
        part: Int, of unit: Unit, _ body: (_ first: Int, _ count: Int) throws(GraftError) -> Void
    ) throws(GraftError) {
        let all = count(unit)
        let first = part * Self.tokensInPart
        let count = min(Self.tokensInPart, all - first)
        partSegments.removeAll(keepingCapacity: true)
        for segment in segments {
            let own = (segment.firstToken..<segment.firstToken + segment.tokenCount).clamped(to: first..<first + count)
            guard !own.isEmpty else { continue }
            partSegments.append(
                Segment(
                    index: partSegments.count, adapter: segment.adapter, firstRow: segment.firstRow,
                    rowCount: segment.rowCount, firstToken: own.lowerBound - first, tokenCount: own.count))
        }
        swap(&segments, &partSegments)
        (batchFirstToken, tokenCount) = (batchFirstToken + first, count)
        defer {
            swap(&segments, &partSegments)
            (batchFirstToken, tokenCount) = (batchFirstToken - first, all)
        }
        try body(first, count)
    }
}
