import GraftFormats
import GraftTensor

/// The offsets of byte-level tokens without the white space that begins and ends them.
///
/// With `addsPrefixSpace`, a single space that begins the first token is taken for the one that was
/// added, which stands for nothing in the text: offsets stay.
struct OffsetTrimming: Sendable {
    let addsPrefixSpace: Bool

    func apply(to sequence: inout SequenceWork, vocabulary: Vocabulary) {
        let first = sequence.kept.lowerBound
        for index in sequence.kept {
            var token = sequence.tokens[index]
            var (leading, trailing) = whitespace(of: token, in: sequence, vocabulary)
            guard leading > 0 || trailing > 0 else { continue }
            let isFirst = index == first || token.start == 0
            if leading == 1, isFirst, addsPrefixSpace { leading = 0 }
            while leading > 0, token.start < token.end {
                token.start = Int32(sequence.characterEnd(after: Int(token.start)))
                leading -= 1
            }
            while trailing > 0, token.end > token.start {
                token.end = Int32(sequence.characterStart(before: Int(token.end)))
                trailing -= 1
            }
            sequence.tokens[index] = token
        }
    }

    /// How many characters of white space begin and end a token as the vocabulary spells it, or an
    /// added token as the text does.
    private func whitespace(
        of token: FoundToken, in sequence: borrowing SequenceWork, _ vocabulary: Vocabulary
    ) -> (leading: Int, trailing: Int) {
        let piece = sequence.text.pieces[Int(token.piece)]
        guard piece.isText else {
            return Self.whitespace(UnsafeBufferPointer(rebasing: sequence.text.view.bytes[piece.range]))
        }
        return vocabulary.withToken(token.id) { Self.whitespace($0) } ?? (0, 0)
    }

    private static func whitespace(_ bytes: UnsafeBufferPointer<UInt8>) -> (leading: Int, trailing: Int) {
        guard let first = bytes.first, let last = bytes.last else { return (0, 0) }
        // Nearly every token: no white space begins with an ASCII character above the space, nor
        // does `Ġ` end with one.
        if first > 0x20, first < 0x80, last > 0x20, last < 0x80 { return (0, 0) }
        let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars
        // `Ġ` is how the byte of a space is spelled.
        func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar == "\u{120}" || CharacterClasses.isWhitespace(scalar) }
        return (scalars.prefix(while: isSpace).count, scalars.reversed().prefix(while: isSpace).count)
    }
}
