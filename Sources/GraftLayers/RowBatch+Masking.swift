import GraftTensor

extension RowBatch {
    /// Replaces what the batch holds by the rows of another, of which only the tokens and a column
    /// of labels are taken: `change` is given each row, its tokens and as many labels, all -100.
    package mutating func become(
        _ other: RowBatch, labelled kind: ColumnKind,
        _ change: (_ row: Int, _ tokens: UnsafeMutableBufferPointer<Int32>, _ labels: UnsafeMutableBufferPointer<Int32>)
            -> Void
    ) {
        if columns.count != 1 || columns[0].kind != kind { columns = [Column(kind, integers: [])] }
        removeAll()
        origin = other.origin
        tokens.append(contentsOf: other.tokens)
        types.append(contentsOf: other.types)
        starts.append(contentsOf: other.starts.dropFirst())
        columns[0].fill(-100, count: tokens.count)
        tokens.withUnsafeMutableBufferPointer { tokens in
            columns[0].change { labels in
                for row in 0..<other.rowCount {
                    let range = other.range(ofRow: row)
                    change(
                        row, UnsafeMutableBufferPointer(rebasing: tokens[range]),
                        UnsafeMutableBufferPointer(rebasing: labels[range]))
                }
            }
        }
    }
}

extension RowBatch {
    /// Each row as often as it has tokens of words, with another one of them masked and labelled
    /// each time: what pseudo-perplexity is measured on (Salazar et al. 2020).
    package func maskedOneByOne(_ mask: Int32) throws(GraftError) -> RowBatch {
        guard let words = column(.tokenWords) else {
            throw GraftError(
                .incompatible,
                "the rows have no \(ColumnKind.tokenWords.name): expected 1 for each token, set before")
        }
        var (rowTotal, tokenTotal) = (0, 0)
        for row in 0..<rowCount {
            let range = range(ofRow: row)
            let count = words.integers[range].count { $0 >= 0 }
            rowTotal += count
            tokenTotal += count * range.count
        }
        var masked = RowBatch()
        masked.origin = origin
        masked.set(.tokenLabels, [])
        try masked.reserve(rowCount: rowTotal, tokenCount: tokenTotal)
        for row in 0..<rowCount {
            let range = range(ofRow: row)
            for token in range where words.integers[token] >= 0 {
                masked.append(masking: token, of: range, in: self, mask)
            }
        }
        return masked
    }

    private mutating func append(masking token: Int, of range: Range<Int>, in other: RowBatch, _ mask: Int32) {
        let start = tokens.count
        append(tokens: other.tokens[range], types: other.types[range])
        let place = start + token - range.lowerBound
        columns[0].fill(-100, count: range.count)
        columns[0].change { $0[place] = tokens[place] }
        tokens[place] = mask
    }
}
