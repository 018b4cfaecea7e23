import GraftTensor

/// Rows of tokens, end to end without padding, each row with a segment type per token and perhaps a label.
package struct RowBatch: Sendable {
    package private(set) var tokens: [Int32] = []
    package private(set) var types: [Int32] = []
    /// First token of each row, and the token count: rowCount + 1 numbers.
    package private(set) var starts: [Int64] = [0]
    /// One for each row, or none at all.
    package var labels: [Int32] = []
    /// One for each token, or none at all; below zero where a token does not count.
    package var tokenLabels: [Int32] = []
    /// Of all rows together.
    package var origin = RowOrigin()

    package init() {}

    package var rowCount: Int { starts.count - 1 }
    package var tokenCount: Int { tokens.count }

    package func length(ofRow row: Int) -> Int { Int(starts[row + 1] - starts[row]) }

    /// The row's tokens.
    package func range(ofRow row: Int) -> Range<Int> { Int(starts[row])..<Int(starts[row + 1]) }

    /// Adds a row; without types, all are 0.
    package mutating func append(tokens row: some Collection<Int32>, types rowTypes: (some Collection<Int32>)?) {
        tokens.append(contentsOf: row)
        if let rowTypes {
            types.append(contentsOf: rowTypes)
        } else {
            types.append(contentsOf: repeatElement(0, count: row.count))
        }
        starts.append(Int64(tokens.count))
    }

    /// Adds row `row` of `other`, with its labels if it has any.
    package mutating func append(row: Int, of other: RowBatch) {
        let range = other.range(ofRow: row)
        append(tokens: other.tokens[range], types: other.types[range])
        if !other.labels.isEmpty { labels.append(other.labels[row]) }
        if !other.tokenLabels.isEmpty { tokenLabels.append(contentsOf: other.tokenLabels[range]) }
    }

    /// Makes room for the rows of `other`.
    package mutating func reserve(for other: RowBatch) throws(GraftError) {
        try reserve(
            rowCount: other.rowCount, tokenCount: other.tokenCount,
            labels: !other.labels.isEmpty, tokenLabels: !other.tokenLabels.isEmpty)
    }

    /// Makes room for so many more rows, with so many tokens together: adding them cannot fail.
    package mutating func reserve(
        rowCount added: Int, tokenCount addedTokens: Int, labels withLabels: Bool = false,
        tokenLabels withTokenLabels: Bool = false
    ) throws(GraftError) {
        let (rows, tokens) = (rowCount + added + 1, tokenCount + addedTokens)
        try Memory.require(4 * 4 * (rows + 2 * tokens) + 8 * 2 * rows, to: "rows of \(tokens) tokens")
        Self.reserve(rows, in: &starts)
        Self.reserve(tokens, in: &self.tokens)
        Self.reserve(tokens, in: &types)
        if withLabels { Self.reserve(rows, in: &labels) }
        if withTokenLabels { Self.reserve(tokens, in: &tokenLabels) }
        try Memory.check()
    }

    /// Doubles what is too small, so that many additions cost as little as one.
    private static func reserve<Element>(_ count: Int, in array: inout [Element]) {
        array.reserveCapacity(array.capacity >= count ? count : max(count, 2 * array.capacity))
    }

    package mutating func removeAll() {
        origin = RowOrigin()
        tokens.removeAll(keepingCapacity: true)
        types.removeAll(keepingCapacity: true)
        labels.removeAll(keepingCapacity: true)
        tokenLabels.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        starts.append(0)
    }

    /// End of the pass that begins at `row`: as many whole rows as fit `tokenBudget`, at least one,
    /// each with the virtual ones that come with it.
    package func passEnd(
        from row: Int, tokenBudget: Int, virtualCount: (_ row: Int) -> Int = { _ in 0 }
    ) -> Int {
        var end = row
        var count = 0
        repeat {
            count += length(ofRow: end) + virtualCount(end)
            end += 1
        } while end < rowCount && count + length(ofRow: end) + virtualCount(end) <= tokenBudget
        return end
    }

    /// Checks what a model can take: token and type ids in its tables, row lengths within its
    /// positions. With an adapter a row's vocabulary may be another than the model's, and virtual
    /// ones may stand before its tokens.
    package func check(
        typeCount: Int, maximumLength: Int, vocabularySize: (_ row: Int) -> Int,
        virtualCount: (_ row: Int) -> Int = { _ in 0 }
    ) throws(GraftError) {
        if origin.isChosen, let chosen = origin.maximumLength, chosen > maximumLength {
            throw GraftError(
                .incompatible,
                "the rows' maximum_length is \(chosen) tokens; the model takes at most \(maximumLength)")
        }
        for row in 0..<rowCount {
            let length = self.length(ofRow: row)
            let virtualCount = virtualCount(row)
            guard length <= maximumLength - virtualCount else {
                throw GraftError(
                    .incompatible,
                    "row \(row) has \(length) tokens; the model takes at most \(maximumLength)"
                        + (virtualCount > 0 ? ", of which its adapter takes \(virtualCount)" : "")
                        + ": set maximum_length")
            }
            let vocabularySize = vocabularySize(row)
            for index in Int(starts[row])..<Int(starts[row + 1]) {
                guard tokens[index] >= 0, Int(tokens[index]) < vocabularySize else {
                    throw GraftError(
                        .incompatible,
                        "row \(row), token \(index - Int(starts[row])): id \(tokens[index]) is outside the model's "
                            + "vocabulary of \(vocabularySize)")
                }
                guard types[index] >= 0, Int(types[index]) < max(typeCount, 1) else {
                    throw GraftError(
                        .incompatible,
                        "row \(row), token \(index - Int(starts[row])): type id \(types[index]) is outside the "
                            + "model's \(typeCount) types")
                }
            }
        }
    }
}
