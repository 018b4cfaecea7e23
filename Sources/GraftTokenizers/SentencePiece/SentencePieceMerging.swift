import GraftTensor

/// SentencePiece's byte-pair encoding (Sennrich et al. 2016): a text starts as its characters, and
/// of two neighbours that together are a piece those are joined whose piece has the highest score,
/// of equal ones the leftmost, again and again.
///
/// A user-defined piece is never joined with anything. An unused piece is taken apart again into
/// what it was joined from.
final class SentencePieceMerging: WordwiseModel {
    private let pieces: SentencePieceVocabulary
    /// Pieces that are taken as they are; nil without any.
    private let userDefined: PieceFinder?
    var vocabulary: Vocabulary { pieces.words }
    var unknown: Int32? { pieces.unknown }

    init(_ pieces: SentencePieceVocabulary, userDefined: PieceFinder?) {
        self.pieces = pieces
        self.userDefined = userDefined
    }

    func appendTokens(
        of view: TextView, _ piece: Piece, _ index: Int32, to tokens: inout Buffer<FoundToken>,
        _ scratch: inout ModelScratch
    ) throws(GraftError) {
        let range = piece.range
        if scratch.joined.capacity <= range.count {
            try Memory.require(80 * (range.count + 1), to: "encoding a text of \(range.count) bytes")
        }
        scratch.joined.removeAll()
        var position = range.lowerBound
        while position < range.upperBound {
            if let length = userDefined?.longest(in: view.bytes, from: position, to: range.upperBound) {
                scratch.joined.append(position, length, isFrozen: true)
                position += length
            } else {
                let length = min(view.scalar(at: position).length, range.upperBound - position)
                scratch.joined.append(position, length, isFrozen: false)
                position += length
            }
        }
        // What unused pieces were joined from: how long the first part was.
        var parts: [Int32: Int] = [:]
        scratch.joined.joinAll { (start, left, length) in
            guard let id = pieces.id(of: UnsafeBufferPointer(rebasing: view.bytes[start..<start + length])) else {
                return nil
            }
            if pieces.hasUnused, pieces.kinds[Int(id)] == .unused { parts[id] = left }
            return pieces.scores[Int(id)]
        }
        let first = tokens.count
        scratch.joined.forEach { (start, length) in
            var open = [start..<start + length]
            while let part = open.popLast() {
                let id = pieces.id(of: UnsafeBufferPointer(rebasing: view.bytes[part]))
                if let id, let left = parts[id] {
                    open.append(part.lowerBound + left..<part.upperBound)
                    open.append(part.lowerBound..<part.lowerBound + left)
                } else {
                    // A character that is an unused piece is unknown.
                    let isUsed = id.map { pieces.kinds[Int($0)] != .unused } ?? false
                    append(isUsed ? id ?? pieces.unknown : pieces.unknown, view, part, index, first, to: &tokens)
                }
            }
        }
    }

    /// Appends a token; unknown ones in a row are one, or tokens of their bytes.
    private func append(
        _ id: Int32, _ view: TextView, _ part: Range<Int>, _ index: Int32, _ first: Int,
        to tokens: inout Buffer<FoundToken>
    ) {
        let (start, end) = (Int32(part.lowerBound), Int32(part.upperBound))
        if id == pieces.unknown, let byteIDs = pieces.byteIDs {
            for (offset, byte) in view.bytes[part].enumerated() {
                let place = start + Int32(offset)
                tokens.append(FoundToken(id: byteIDs[Int(byte)], start: place, end: place + 1, piece: index))
            }
        } else if id == pieces.unknown, tokens.count > first, tokens[tokens.count - 1].id == id {
            tokens.base[tokens.count - 1].end = end
        } else {
            tokens.append(FoundToken(id: id, start: start, end: end, piece: index))
        }
    }
}
