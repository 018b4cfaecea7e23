import GraftTensor

/// SentencePiece's unigram language model (Kudo 2018, section 3.2): of all ways to cut a text into
/// pieces the one whose scores have the largest sum counts.
///
/// Sums run through the whole text, in single precision, as SentencePiece has them: which of two
/// ways that are about equal counts may depend on what stands before. Against `Unigram`, which is
/// that of Hugging Face `tokenizers`, user-defined pieces are preferred, unused ones never taken.
final class SentencePieceUnigram: TokenModel {
    private let pieces: SentencePieceVocabulary
    private let finder: PieceFinder
    private let unknownScore: Float
    var vocabulary: Vocabulary { pieces.words }
    var unknown: Int32? { pieces.unknown }

    init(_ pieces: SentencePieceVocabulary) throws(GraftError) {
        self.pieces = pieces
        var least = Float.greatestFiniteMagnitude
        for (score, kind) in zip(pieces.scores, pieces.kinds) where kind == .normal { least = min(least, score) }
        unknownScore = least - 10
        finder = try PieceFinder(pieces.words) { pieces.kinds[Int($0)].isText && pieces.kinds[Int($0)] != .unused }
    }

    func tokenize(
        _ text: borrowing WorkingText, limit: Int?, into tokens: inout Buffer<FoundToken>,
        with scratch: inout ModelScratch
    ) throws(GraftError) {
        let limit = limit.map { tokens.count + $0 }
        var index = 0
        while index < text.pieces.count {
            try Memory.check()
            let piece = text.pieces[index]
            guard piece.isText else {
                tokens.append(FoundToken(id: piece.token, start: piece.start, end: piece.end, piece: Int32(index)))
                index += 1
                continue
            }
            // Words in a row are one text.
            var last = index
            while last + 1 < text.pieces.count, text.pieces[last + 1].isText { last += 1 }
            try appendTokens(of: text, index...last, into: &tokens, &scratch.ways)
            index = last + 1
            if let limit, tokens.count >= limit { break }
        }
    }

    private func appendTokens(
        of text: borrowing WorkingText, _ words: ClosedRange<Int>, into tokens: inout Buffer<FoundToken>,
        _ ways: inout Buffer<Unigram.Way>
    ) throws(GraftError) {
        let range = Int(text.pieces[words.lowerBound].start)..<Int(text.pieces[words.upperBound].end)
        try findWays(through: text.view, range, &ways)
        let first = tokens.count
        // The way back lists the tokens from the last on.
        var (end, word) = (range.count, words.upperBound)
        while end > 0 {
            let way = ways[end]
            let start = Int(way.start)
            while word > words.lowerBound, range.lowerBound + start < Int(text.pieces[word].start) { word -= 1 }
            let token = FoundToken(
                id: way.id, start: Int32(range.lowerBound + start), end: Int32(range.lowerBound + end),
                piece: Int32(word))
            append(token, text.view, first, into: &tokens)
            end = start
        }
        tokens.reverse(from: first)
    }

    /// Appends a token before those from `first` on, which are behind it in the text: unknown ones
    /// in a row are one, or tokens of their bytes.
    private func append(
        _ token: FoundToken, _ view: TextView, _ first: Int, into tokens: inout Buffer<FoundToken>
    ) {
        guard token.id == pieces.unknown else { return tokens.append(token) }
        if let byteIDs = pieces.byteIDs {
            for byte in view.bytes[Int(token.start)..<Int(token.end)].reversed() {
                tokens.append(
                    FoundToken(id: byteIDs[Int(byte)], start: token.start, end: token.end, piece: token.piece))
            }
        } else if tokens.count > first, tokens[tokens.count - 1].id == pieces.unknown {
            tokens.base[tokens.count - 1].start = token.start
            tokens.base[tokens.count - 1].piece = token.piece
        } else {
            tokens.append(token)
        }
    }

    /// The best way to each place of a text; its sum is a number of single precision.
    private func findWays(
        through view: TextView, _ range: Range<Int>, _ ways: inout Buffer<Unigram.Way>
    ) throws(GraftError) {
        let text = UnsafeBufferPointer(rebasing: view.bytes[range])
        let count = text.count
        if ways.capacity <= count {
            let bytes = 2 * MemoryLayout<Unigram.Way>.stride * (count + 1)
            try Memory.require(bytes, to: "encoding a text of \(count) bytes")
        }
        ways.count = 0
        ways.reserve(count + 1)
        for _ in 0...count { ways.appendReserved(Unigram.Way()) }
        var start = 0
        while start < count {
            let sum = Float(ways[start].score)
            let length = view.scalar(at: range.lowerBound + start).length
            var isKnown = false
            finder.forEachToken(in: text, from: start, to: count) { id, end in
                offer(score(of: id, end - start) + sum, start, id, &ways, end)
                if end - start == length { isKnown = true }
            }
            if !isKnown {
                offer(unknownScore + sum, start, pieces.unknown, &ways, start + length)
            }
            start += length
        }
    }

    @inline(__always)
    private func offer(
        _ score: Float, _ start: Int, _ id: Int32, _ ways: inout Buffer<Unigram.Way>, _ end: Int
    ) {
        guard ways[end].start < 0 || Double(score) > ways[end].score else { return }
        ways[end] = Unigram.Way(score: Double(score), start: Int32(truncatingIfNeeded: start), id: id)
    }

    /// A user-defined piece is worth more the longer it is, whatever the file says.
    @inline(__always)
    private func score(of id: Int32, _ length: Int) -> Float {
        pieces.kinds[Int(id)] == .userDefined
            ? Float(Double(length) * 0.1 - 0.1) : pieces.scores[Int(id)]
    }
}
