import GraftFormats
import GraftTensor

/// A unigram language model (Kudo 2018, section 3.2): each token has a log-probability, its score,
/// and of all ways to cut a word into tokens the one with the largest sum counts. A character that
/// is no token is unknown, at 10 below the least score; unknown ones in a row are one token.
///
/// The best way to each place is found from left to right (Viterbi), in double precision. Of two
/// ways with equal sums the one whose last token is longer counts, as in Hugging Face `tokenizers`.
final class Unigram: WordwiseModel {
    let vocabulary: Vocabulary
    private let finder: PieceFinder
    /// By id.
    private let scores: [Double]
    private let unknownScore: Double
    let unknown: Int32?
    /// Tokens of the 256 bytes, which unknown characters become; nil without byte fallback.
    private let byteIDs: [Int32]?

    /// The best way to a place in a word: its sum, and its last token with that token's start.
    struct Way: BitwiseCopyable {
        var score = 0.0
        /// -1 where no way is known yet.
        var start: Int32 = -1
        var id: Int32 = -1
    }

    /// - Parameters:
    ///   - scores: by id.
    ///   - unknown: the token of what is none; nil makes it an error.
    init(
        vocabulary: Vocabulary, scores: [Double], unknown: Int32?, fallsBackToBytes: Bool = false
    ) throws(GraftError) {
        self.vocabulary = vocabulary
        self.scores = scores
        unknownScore = (scores.min() ?? 0) - 10
        self.unknown = unknown
        byteIDs = fallsBackToBytes ? vocabulary.byteTokens() : nil
        finder = try PieceFinder(vocabulary)
    }

    convenience init(_ file: ModelFile) throws(GraftError) {
        guard let scores = file.scores else {
            throw GraftError(
                .corruptFile, "\(file.source): model.vocab: expected a list of tokens with their scores")
        }
        let settings = file.settings
        let unknown = try settings.optionalInt("unk_id")
        guard unknown.map(scores.indices.contains) ?? true else {
            throw settings.unexpected("unk_id", expected: "the place of one of the \(scores.count) tokens")
        }
        try self.init(
            vocabulary: file.vocabulary, scores: scores, unknown: unknown.map { Int32($0) },
            fallsBackToBytes: try settings.optionalBool("byte_fallback") ?? false)
    }

    func appendTokens(
        of view: TextView, _ piece: Piece, _ index: Int32, to tokens: inout Buffer<FoundToken>,
        _ scratch: inout ModelScratch
    ) throws(GraftError) {
        let word = UnsafeBufferPointer(rebasing: view.bytes[piece.range])
        try findWays(through: view, piece.range, &scratch.ways)
        let first = tokens.count
        // The way back lists the tokens from the last on.
        var end = word.count
        while end > 0 {
            let way = scratch.ways[end]
            var start = Int(way.start)
            if way.id == unknown {
                while start > 0, scratch.ways[start].id == unknown { start = Int(scratch.ways[start].start) }
                appendUnknown(word, start..<end, piece, index, to: &tokens)
            } else {
                tokens.append(token(way.id, start..<end, piece, index))
            }
            end = start
        }
        tokens.reverse(from: first)
    }

    /// The best way to each place of a word.
    private func findWays(
        through view: TextView, _ range: Range<Int>, _ ways: inout Buffer<Way>
    ) throws(GraftError) {
        let word = UnsafeBufferPointer(rebasing: view.bytes[range])
        let count = word.count
        if ways.capacity <= count {
            try Memory.require(2 * MemoryLayout<Way>.stride * (count + 1), to: "encoding a word of \(count) bytes")
        }
        ways.count = 0
        ways.reserve(count + 1)
        for _ in 0...count { ways.appendReserved(Way()) }
        var start = 0
        while start < count {
            let sum = ways[start].score
            let length = view.scalar(at: range.lowerBound + start).length
            var isKnown = false
            finder.forEachToken(in: word, from: start, to: count) { id, end in
                let score = scores[Int(id)] + sum
                if ways[end].start < 0 || score > ways[end].score {
                    ways[end] = Way(score: score, start: Int32(truncatingIfNeeded: start), id: id)
                }
                if end - start == length { isKnown = true }
            }
            if !isKnown {
                let score = unknownScore + sum
                let end = start + length
                if ways[end].start < 0 || score > ways[end].score {
                    ways[end] = Way(
                        score: score, start: Int32(truncatingIfNeeded: start), id: try unknownID())
                }
            }
            start += length
        }
    }

    private func unknownID() throws(GraftError) -> Int32 {
        guard let unknown else {
            throw GraftError(
                .incompatible, "a character is not in the vocabulary, which has no unknown token: unk_id is null")
        }
        return unknown
    }

    /// Appends what unknown characters in a row become: together they may be a token after all, or
    /// else tokens of their bytes, the last first.
    private func appendUnknown(
        _ word: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ piece: Piece, _ index: Int32,
        to tokens: inout Buffer<FoundToken>
    ) {
        let bytes = UnsafeBufferPointer(rebasing: word[range])
        let known = vocabulary.id(of: bytes)
        if known == nil, let byteIDs, bytes.allSatisfy({ byteIDs[Int($0)] >= 0 }) {
            for byte in bytes.reversed() { tokens.append(token(byteIDs[Int(byte)], range, piece, index)) }
        } else if let id = known ?? unknown {
            tokens.append(token(id, range, piece, index))
        }
    }

    private func token(_ id: Int32, _ range: Range<Int>, _ piece: Piece, _ index: Int32) -> FoundToken {
        FoundToken(
            id: id, start: piece.start + Int32(truncatingIfNeeded: range.lowerBound),
            end: piece.start + Int32(truncatingIfNeeded: range.upperBound), piece: index)
    }
}
