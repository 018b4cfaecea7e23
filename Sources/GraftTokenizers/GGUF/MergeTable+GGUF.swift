import GraftTensor

extension MergeTable {
    /// Merges of a list of texts, two tokens with a space between, the earliest first.
    ///
    /// - Parameter forEach: calls its argument with each, in order.
    init(
        count: Int, vocabulary: Vocabulary, source: String,
        forEach: ((Int, UnsafeBufferPointer<UInt8>) throws(GraftError) -> Void) throws(GraftError) -> Void
    ) throws(GraftError) {
        var table = MergeTable(count: count)
        // Where in the vocabulary the next merge's result is likely to stand.
        var expected = 0
        try forEach { (index, text) throws(GraftError) in
            _ = try table.add(pair: text, UInt32(truncatingIfNeeded: index), vocabulary, [], &expected, source)
        }
        self = table
    }

    /// Every way to make a piece of two pieces, the piece with the highest score first; pieces of
    /// equal scores have one rank.
    ///
    /// - Parameter scores: by id.
    init(scores: [Double], vocabulary: Vocabulary) throws(GraftError) {
        self.init(count: 2 * vocabulary.count)
        var ranks = [UInt32](repeating: 0, count: scores.count)
        let order = scores.indices.sorted { scores[$0] > scores[$1] }
        for (before, index) in zip(order, order.dropFirst()) {
            ranks[index] = ranks[before] + (scores[index] == scores[before] ? 0 : 1)
        }
        for id in scores.indices {
            try Memory.check()
            vocabulary.withToken(Int32(id)) { piece in
                for cut in piece.indices.dropFirst() where piece[cut] & 0xC0 != 0x80 {
                    guard let left = vocabulary.id(of: UnsafeBufferPointer(rebasing: piece[..<cut])),
                        let right = vocabulary.id(of: UnsafeBufferPointer(rebasing: piece[cut...]))
                    else { continue }
                    add(left, right, Merge(rank: ranks[id], result: Int32(id)))
                }
            }
        }
    }
}
