import GraftTensor

extension RowBatch {
    /// Replaces what the batch holds by the rows of another, of which only the tokens and a column
    /// of labels are taken: `change` is given each row, its tokens and as many labels, all -100.
    package mutating func become(
        _ other: RowBatch, labelled kind: ColumnKind,
        _ change: (_ row: Int, _ tokens: UnsafeMutableBufferPointer<Int32>, _ labels: UnsafeMutableBufferPointer<Int32>)
            -> Void
    ) throws(GraftError) {
        if columns.count != 1 || columns[0].kind != kind { columns = [Column(kind, integers: [])] }
        try takeTokens(other)
        origin = other.origin
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
        try require(.tokenWords, width: 1)
        let words = integers(.tokenWords)
        var (rowTotal, tokenTotal) = (0, 0)
        for row in 0..<rowCount {
            let range = range(ofRow: row)
            let count = words[range].count { $0 >= 0 }
            rowTotal += count
            tokenTotal += count * range.count
        }
        var masked = RowBatch()
        masked.origin = origin
        masked.set(.tokenLabels, [])
        try masked.reserve(rowCount: rowTotal, tokenCount: tokenTotal)
        for row in 0..<rowCount {
            let range = range(ofRow: row)
            for token in range where words[token] >= 0 {
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
