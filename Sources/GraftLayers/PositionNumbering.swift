import GraftTensor

/// The rows of a table of positions that tokens have.
package enum PositionNumbering: Sendable {
    /// A token's place in its row.
    case places
    /// The same, counted from a number other than 0.
    case placesFrom(Int32)
    /// A token that is not `padding` has the place among such tokens, counted from padding + 1;
    /// padding has row `padding`, wherever it stands. Prefixes count as tokens. Behind virtual
    /// tokens padding counts as all others do: transformers, which is given no ids then, sees none.
    case pastPadding(Int32)

    /// The row of a row's first token that is not padding.
    package var firstRow: Int {
        if case .placesFrom(let first) = self { return Int(first) }
        return frozenRow.map { $0 + 1 } ?? 0
    }

    /// The row that never learns.
    package var frozenRow: Int? {
        guard case .pastPadding(let padding) = self else { return nil }
        return Int(padding)
    }
}

extension Pass {
    func numbers(_ numbering: PositionNumbering, keeps: Bool) throws(GraftError) -> UnsafePointer<Int32> {
        if case .places = numbering { return positions }
        let numbers = try arena(keeping: keeps).allocate(Int32.self, count: tokenCount)
        guard case .pastPadding(let padding) = numbering else {
            for token in 0..<tokenCount { numbers[token] = positions[token] + Int32(numbering.firstRow) }
            return UnsafePointer(numbers)
        }
        for row in 0..<rowCount {
            let (first, end) = (Int(starts[row]), Int(starts[row + 1]))
            let hasPrompt = batchTokens[row] > starts[row]
            var next = padding + 1 + (first < end ? positions[first] : 0)
            for token in first..<end {
                let pads = !hasPrompt && tokens[token] == padding
                numbers[token] = pads ? padding : next
                if !pads { next += 1 }
            }
        }
        return UnsafePointer(numbers)
    }
}
