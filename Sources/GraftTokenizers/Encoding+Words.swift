import GraftFormats

/// Words as people take them, whatever the tokenizer takes for one.
extension Encoding {
    /// The number of the word that each token is of; -1 for tokens that the tokenizer added, and
    /// for those of blanks alone.
    ///
    /// They are the tokenizer's own, `wordIDs`, divided at tokens that meet at punctuation or at a
    /// character of a script that is written without blanks: a tokenizer that divides at blanks
    /// takes a whole sentence of Chinese for one word, and "Paris/London" for another. Tokens that
    /// share a character are of one word. Numbers of a second text go on after those of the first.
    ///
    /// - Parameters:
    ///   - text: the first text that was encoded.
    ///   - pair: the second, if there was one.
    package func dividedWordIDs(
        in text: UnsafeBufferPointer<UInt8>, pair: UnsafeBufferPointer<UInt8>? = nil
    ) -> [Int32] {
        let texts = [text, pair ?? UnsafeBufferPointer(start: nil, count: 0)].map(CharacterReader.init)
        var numbers: [Int32] = []
        numbers.reserveCapacity(sequenceIDs.count)
        var number: Int32 = -1
        for token in sequenceIDs.indices {
            guard sequenceIDs[token] >= 0, case let text = texts[Int(sequenceIDs[token])],
                !text.isBlank(offsets[token])
            else {
                numbers.append(-1)
                continue
            }
            let continues =
                token > 0 && numbers[token - 1] >= 0 && sequenceIDs[token - 1] == sequenceIDs[token]
                && wordIDs[token - 1] == wordIDs[token] && !text.divides(offsets[token - 1], offsets[token])
            if !continues { number += 1 }
            numbers.append(number)
        }
        return numbers
    }
}

/// The bytes of `range` without white space at either end, and how many characters that is; nil
/// where nothing else is there.
package func withoutBlanks(
    _ range: Range<Int>, in text: UnsafeBufferPointer<UInt8>
) -> (range: Range<Int>, before: Int, after: Int)? {
    let text = CharacterReader(text)
    var (start, end, before, after) = (range.lowerBound, range.upperBound, 0, 0)
    while start < end, let scalar = text.scalar(at: start), scalar.properties.isWhitespace {
        start += UTF8.width(scalar)
        before += 1
    }
    while start < end, let scalar = text.scalar(before: end), scalar.properties.isWhitespace {
        end -= UTF8.width(scalar)
        after += 1
    }
    return start < end ? (start..<end, before, after) : nil
}

/// The characters of a text by their bytes, which may be ill-formed, and places beyond it.
private struct CharacterReader {
    /// The characters that are a word, or several, whatever stands beside them.
    private static let unspaced: ScalarSet = [
        "han", "hiragana", "katakana", "bopomofo", "yi", "thai", "lao", "khmer", "myanmar", "tibetan", "tai_le",
        "new_tai_lue", "tai_tham", "tai_viet", "javanese", "balinese",
    ].reduce(.none) { $0.union(UnicodeProperties.property($1) ?? .none) }

    private let bytes: UnsafeRawBufferPointer

    init(_ text: UnsafeBufferPointer<UInt8>) { bytes = UnsafeRawBufferPointer(text) }

    /// The character whose first byte is at `position`.
    func scalar(at position: Int) -> Unicode.Scalar? {
        guard bytes.indices.contains(position) else { return nil }
        if bytes[position] < 0x80 { return Unicode.Scalar(bytes[position]) }
        guard let length = UTF8Scanning.sequenceLength(in: bytes, at: position) else { return nil }
        return String(decoding: bytes[position..<position + length], as: UTF8.self).unicodeScalars.first
    }

    /// The character whose last byte is before `position`.
    func scalar(before position: Int) -> Unicode.Scalar? {
        guard position > 0, position <= bytes.count else { return nil }
        var start = position - 1
        while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        return scalar(at: start).flatMap { start + UTF8.width($0) == position ? $0 : nil }
    }

    /// Whether there is white space and nothing else.
    func isBlank(_ offsets: TokenOffsets) -> Bool {
        var position = Int(offsets.start)
        while position < Int(offsets.end) {
            guard let scalar = scalar(at: position), scalar.properties.isWhitespace else { return false }
            position += UTF8.width(scalar)
        }
        return offsets.start < offsets.end
    }

    /// Whether a word ends between tokens, though the tokenizer goes on.
    func divides(_ first: TokenOffsets, _ second: TokenOffsets) -> Bool {
        first.end <= second.start
            && [scalar(before: Int(first.end)), scalar(at: Int(second.start))].contains { scalar in
                scalar.map { CharacterClasses.isPunctuation($0) || Self.unspaced.contains($0.value) } ?? false
            }
    }
}
