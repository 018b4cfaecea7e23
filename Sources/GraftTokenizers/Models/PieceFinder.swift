import GraftTensor

/// Finds all tokens of a vocabulary that a text begins with, in one walk over its bytes.
///
/// A filter (Bloom 1970) says of the hash of a beginning whether any token goes on from it, and
/// whether one may end there; only of those is the vocabulary asked. Making it takes a pass over
/// the bytes of the tokens, and an eighth of the memory of a tree of them. Its size is such that of
/// the beginnings that are none some one in ten passes for one, which costs time alone.
struct PieceFinder: Sendable {
    private let vocabulary: Vocabulary
    /// Which tokens count, by id; nil for all.
    private let counts: [Bool]?
    /// In four bits of a place which beginnings there are, and in the others which tokens.
    private var marks: [UInt8]
    private let shift: UInt64

    /// - Parameter isIn: which tokens count, by id; nil for all.
    init(_ vocabulary: Vocabulary, where isIn: ((Int32) -> Bool)? = nil) throws(GraftError) {
        self.vocabulary = vocabulary
        let counts = isIn.map { (0..<Int32(vocabulary.largestID + 1)).map($0) }
        var byteCount = 0
        try vocabulary.eachToken { id, token in if counts?[Int(id)] ?? true { byteCount += token.count } }
        // Of the vocabularies there are, tokens share two thirds of their bytes.
        var bits = 6
        while 1 << bits < byteCount / 2 { bits += 1 }
        try Memory.require(1 << bits, to: "the beginnings of tokens")
        var marks = [UInt8](repeating: 0, count: 1 << bits)
        let shift = UInt64(64 - bits)
        try marks.withUnsafeMutableBufferPointer { marks throws(GraftError) in
            try vocabulary.eachToken { id, token throws(GraftError) in
                guard counts?[Int(id)] ?? true else { return }
                try Memory.check()
                var hash = ByteHash.empty
                var mark = (place: 0, bit: UInt8(0))
                for byte in token {
                    hash = ByteHash.adding(byte, to: hash)
                    mark = Self.mark(hash, shift)
                    marks[mark.place] |= mark.bit
                }
                marks[mark.place] |= mark.bit << 4
            }
        }
        self.counts = counts
        self.marks = marks
        self.shift = shift
    }

    /// Calls `body` with each token that stands at `start`, the shortest first, and where it ends,
    /// at `limit` at most.
    @inline(__always)
    func forEachToken(
        in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int, _ body: (Int32, Int) -> Void
    ) {
        marks.withUnsafeBufferPointer { marks in
            var hash = ByteHash.empty
            var end = start
            let limit = min(limit, start + vocabulary.longest)
            while end < limit {
                hash = ByteHash.adding(text[end], to: hash)
                end += 1
                let mark = Self.mark(hash, shift)
                let found = marks[mark.place]
                if found & mark.bit == 0 { break }
                guard found & mark.bit << 4 != 0, let id = token(text, start..<end, hash) else { continue }
                body(id, end)
            }
        }
    }

    /// Bytes of the longest token that stands at `start`; nil for none.
    func longest(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Int? {
        var longest: Int?
        forEachToken(in: text, from: start, to: limit) { _, end in longest = end - start }
        return longest
    }

    private func token(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ hash: UInt64) -> Int32? {
        let id = vocabulary.id(of: UnsafeBufferPointer(rebasing: text[range]), hash: hash)
        guard let id, counts?[Int(id)] ?? true else { return nil }
        return id
    }

    /// Where the mark of a beginning is, by its hash before it is finished, and which bit.
    @inline(__always)
    private static func mark(_ hash: UInt64, _ shift: UInt64) -> (place: Int, bit: UInt8) {
        let hash = ByteHash.finished(hash)
        return (Int(truncatingIfNeeded: hash >> shift), 1 << UInt8(truncatingIfNeeded: hash & 3))
    }
}
