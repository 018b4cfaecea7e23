import GraftTensor

/// What a decoder's rows begin with and are filled with, where an encoder reads their sources.
package struct DecoderTokens: Sendable {
    /// Before a target's first token: `decoder_start_token_id`; nil where that is each target's
    /// last one, as mBART's languages.
    package let start: Int32?
    /// In the place of a token that does not count: `pad_token_id`.
    package let padding: Int32
    /// The token of a row at whose last place heads of rows read: `eos_token_id`; nil where no
    /// class of the architecture has such a head.
    package let end: Int32?

    package init(start: Int32?, padding: Int32, end: Int32? = nil) {
        self.start = start
        self.padding = padding
        self.end = end
    }

    /// The last token of a target: as many places from the first as other tokens count, as mBART's
    /// `shift_tokens_right` has it.
    func last(of labels: ArraySlice<Int32>) -> Int32 {
        let count = labels.count { $0 >= 0 && $0 != padding }
        guard count > 0 else { return padding }
        let token = labels[labels.startIndex + count - 1]
        return token < 0 ? padding : token
    }
}

extension RowBatch {
    /// Replaces what this holds by the rows that a decoder reads to learn the targets of `batch`,
    /// with the rows of that as their sources, and returns whether it has targets.
    ///
    /// Each target shifted right (transformers' `shift_tokens_right`): behind `tokens.start` all of
    /// its tokens but the last. Its token labels, or else its tokens, are what each place should
    /// predict; where a label is below zero, the place after it reads padding. What columns say of
    /// the rows of `batch` is said of these, too.
    package mutating func takeTargets(of batch: RowBatch, _ tokens: DecoderTokens) throws(GraftError) -> Bool {
        removeAll()
        guard let targets = batch.targetRows else { return false }
        try reserve(rowCount: targets.rowCount, tokenCount: targets.tokenCount)
        try takeSources(batch)
        origin = batch.origin
        let given = targets.integers(.tokenLabels)
        let labels = given.isEmpty ? targets.tokens : given
        for row in 0..<targets.rowCount {
            let own = labels[targets.range(ofRow: row)]
            append(tokens.start ?? tokens.last(of: own), shifted: own, padding: tokens.padding)
        }
        copy(Column(.tokenLabels, integers: labels))
        for column in batch.columns where column.kind.unit == .rows && column.count == rowCount { copy(column) }
        return true
    }

    /// Replaces what this holds by the rows that a decoder reads for a head of rows or of their
    /// tokens: those of `batch` shifted right, with themselves as their sources.
    package mutating func takeRows(
        of batch: RowBatch, _ tokens: DecoderTokens, for unit: ColumnKind.Unit
    ) throws(GraftError) {
        removeAll()
        try reserve(rowCount: batch.rowCount, tokenCount: batch.tokenCount)
        try takeSources(batch)
        origin = batch.origin
        for row in 0..<batch.rowCount {
            let own = batch.tokens[batch.range(ofRow: row)]
            if let end = tokens.end, unit == .rows, !own.contains(end) {
                throw GraftError(
                    .incompatible,
                    "row \(row) has no token \(end), eos_token_id, at which the head of rows reads")
            }
            append(tokens.start ?? tokens.last(of: own), shifted: own, padding: tokens.padding)
        }
        for column in batch.columns where column.kind.unit == .rows && column.count == rowCount { copy(column) }
    }

    /// Replaces what this holds by rows of which each begins a target, with the rows of `batch` as
    /// their sources.
    package mutating func beginTargets(of batch: RowBatch, with token: Int32) throws(GraftError) {
        removeAll()
        try reserve(rowCount: batch.rowCount, tokenCount: batch.rowCount)
        try takeSources(batch)
        for _ in 0..<batch.rowCount { append(tokens: CollectionOfOne(token), types: nil as [Int32]?) }
    }
}
