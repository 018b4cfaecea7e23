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

    /// Every way to make a piece of two pieces, in the order of the pieces made, and of one the way
    /// with the shortest first part first: the merges that transformers makes for a file of
    /// SentencePiece.
    init(inOrderOf vocabulary: Vocabulary) throws(GraftError) {
        self.init(count: 2 * vocabulary.count)
        var parts = PieceParts()
        var rank: UInt32 = 0
        for id in 0..<Int32(vocabulary.largestID + 1) {
            try Memory.check()
            vocabulary.withToken(id) { piece in
                parts.eachPair(of: piece, in: vocabulary) { left, right in
                    add(left, right, Merge(rank: rank, result: id))
                    rank += 1
                }
            }
        }
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
        var parts = PieceParts()
        for id in scores.indices {
            try Memory.check()
            vocabulary.withToken(Int32(id)) { piece in
                parts.eachPair(of: piece, in: vocabulary) { left, right in
                    add(left, right, Merge(rank: ranks[id], result: Int32(id)))
                }
            }
        }
    }
}

/// Finds the pairs of pieces that a piece is made of. All parts are asked for before the first is
/// looked at: most of a lookup is waiting for memory.
private struct PieceParts {
    private struct Part {
        let cut: Int
        let leftHash: UInt64
        /// -1 for no piece, which has no right part, either.
        var left: Int32 = -1
        var rightHash: UInt64 = 0
    }
    private var parts: [Part] = []

    mutating func eachPair(
        of piece: UnsafeBufferPointer<UInt8>, in vocabulary: Vocabulary, _ body: (_ left: Int32, _ right: Int32) -> Void
    ) {
        parts.removeAll(keepingCapacity: true)
        var hash = ByteHash.empty
        for (index, byte) in piece.enumerated() {
            if index > 0, byte & 0xC0 != 0x80 {
                parts.append(Part(cut: index, leftHash: hash))
                vocabulary.expect(hash: hash)
            }
            hash = ByteHash.adding(byte, to: hash)
        }
        for index in parts.indices {
            let cut = parts[index].cut
            let left = vocabulary.id(of: UnsafeBufferPointer(rebasing: piece[..<cut]), hash: parts[index].leftHash)
            guard let left else { continue }
            parts[index].left = left
            parts[index].rightHash = ByteHash.of(UnsafeBufferPointer(rebasing: piece[cut...]))
            vocabulary.expect(hash: parts[index].rightHash)
        }
        for part in parts where part.left >= 0 {
            let right = UnsafeBufferPointer(rebasing: piece[part.cut...])
            if let right = vocabulary.id(of: right, hash: part.rightHash) { body(part.left, right) }
        }
    }
}
