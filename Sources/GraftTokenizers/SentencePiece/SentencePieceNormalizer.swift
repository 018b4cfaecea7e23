import GraftTensor

/// SentencePiece's own normalization: at each place the longest beginning of the rest that the map
/// has is replaced, spaces are made one and are marked, and a mark is put before the text.
///
/// User-defined pieces stay as they are. Hugging Face's `Precompiled` looks up grapheme clusters
/// in the same map, and not the longest beginning.
final class SentencePieceNormalizer: Normalizer {
    /// Where a mark is put before a text that begins.
    enum Prefix: Sendable {
        /// Before every part between added tokens.
        case always
        /// Only at the start of the whole text.
        case first
        case never
    }

    private let map: CharacterMap?
    private let prefix: Prefix
    private let marksEnds: Bool
    private let removesExtraSpaces: Bool
    private let mark: [UInt8]
    /// Pieces that are taken as they are; nil without any.
    private let userDefined: PieceFinder?

    init(_ file: SentencePieceFile, prefix: Prefix, userDefined: PieceFinder?) {
        map = file.charactersMap
        self.prefix = file.addsDummyPrefix ? prefix : .never
        marksEnds = file.marksEnds
        removesExtraSpaces = file.removesExtraSpaces
        mark = file.spaceMark
        self.userDefined = userDefined
    }

    func normalize(_ source: TextView, _ range: Range<Int>, into out: inout TextBuffer) throws(GraftError) {
        out.beginAlignment()
        let space = UInt8(ascii: " ")
        var position = range.lowerBound
        while removesExtraSpaces, position < range.upperBound {
            let (length, replacement) = try chunk(source, position, range.upperBound)
            let isSpace = replacement.map { $0.elementsEqual(CollectionOfOne(space)) }
            guard isSpace ?? (length == 1 && source[position] == space) else { break }
            position += length
        }
        guard position < range.upperBound else { return }
        let start = out.count
        let isPrefixed =
            switch prefix {
            case .always: true
            case .first: source.alignment(at: range.lowerBound).start == 0
            case .never: false
            }
        if isPrefixed, !marksEnds {
            let origin = source.alignment(at: position)
            appendMark(Alignment(Int(origin.start), Int(origin.start)), to: &out)
        }
        var isBehindSpace = removesExtraSpaces
        while position < range.upperBound {
            let (length, replacement) = try chunk(source, position, range.upperBound)
            let origin = source.original(position, position + length)
            if let replacement {
                try out.requireRoom(for: mark.count * replacement.count)
                append(replacement, origin, &isBehindSpace, to: &out)
            } else {
                let text = UnsafeBufferPointer(rebasing: source.bytes[position..<position + length])
                append(text, origin, &isBehindSpace, to: &out)
            }
            if !removesExtraSpaces { isBehindSpace = false }
            position += length
        }
        while removesExtraSpaces, out.count - start >= mark.count, out.view.bytes.suffix(mark.count).elementsEqual(mark)
        {
            out.truncate(to: out.count - mark.count)
        }
        if isPrefixed, marksEnds {
            let end = Int(source.alignment(at: range.upperBound - 1).end)
            appendMark(Alignment(end, end), to: &out)
        }
    }

    /// What stands at a place: how many bytes it has, and what they become, nil for themselves.
    @inline(__always)
    private func chunk(
        _ source: TextView, _ position: Int, _ limit: Int
    ) throws(GraftError) -> (length: Int, replacement: ArraySlice<UInt8>?) {
        if let length = userDefined?.longest(in: source.bytes, from: position, to: limit) { return (length, nil) }
        if let map, map.beginsSequence(source[position]),
            let (length, replacement) = try map.longestReplacement(source.bytes, position, limit)
        {
            return (length, replacement)
        }
        return (min(source.scalar(at: position).length, limit - position), nil)
    }

    private func append(
        _ text: some RandomAccessCollection<UInt8>, _ origin: Alignment, _ isBehindSpace: inout Bool,
        to out: inout TextBuffer
    ) {
        let space = UInt8(ascii: " ")
        let kept = isBehindSpace ? text.drop { $0 == space } : text[...]
        guard let last = kept.last else { return }
        for byte in kept {
            if byte == space { appendMark(origin, to: &out) } else { out.append(byte, origin) }
        }
        isBehindSpace = last == space
    }

    private func appendMark(_ origin: Alignment, to out: inout TextBuffer) {
        for byte in mark { out.append(byte, origin) }
    }
}
