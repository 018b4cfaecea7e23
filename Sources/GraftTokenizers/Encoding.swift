import GraftFormats

/// Where a token stands in a text: positions of its first byte (or character) and of the one after
/// its last.
package struct TokenOffsets: BitwiseCopyable, Equatable, Hashable, Sendable {
    package var start: Int32
    package var end: Int32

    package init(_ start: Int32, _ end: Int32) {
        self.start = start
        self.end = end
    }
}

/// A text, or a pair of texts, as tokens. All arrays have one element per token. There is no
/// padding.
package struct Encoding: Equatable, Sendable {
    /// Ids in the vocabulary.
    package var ids: [Int32] = []
    /// The segment of each token as the model was trained with it, such as 0 for the first text and
    /// 1 for the second.
    package var typeIDs: [Int32] = []
    /// The bytes of the text that each token stands for; 0 and 0 for tokens that the tokenizer
    /// added.
    package var offsets: [TokenOffsets] = []
    /// Which word of its text each token belongs to, counted from 0; -1 for tokens that the
    /// tokenizer added.
    package var wordIDs: [Int32] = []
    /// 0 for tokens of the first text, 1 for the second, -1 for tokens that the tokenizer added.
    package var sequenceIDs: [Int32] = []
    /// Whether the tokenizer added the token. A special token that the text itself spells out is
    /// not marked.
    package var specialTokensMask: [Bool] = []
    /// Whether tokens were dropped because there were too many.
    package var isTruncated = false
    /// How many tokens of the texts are the unknown one.
    package var unknownCount = 0

    package init() {}

    package var count: Int { ids.count }

    /// `offsets` counted in Unicode scalars instead of bytes, as Hugging Face `tokenizers` gives
    /// them in Python.
    ///
    /// - Parameters:
    ///   - text: the first text that was encoded.
    ///   - pair: the second, if there was one.
    package func characterOffsets(
        in text: UnsafeBufferPointer<UInt8>, pair: UnsafeBufferPointer<UInt8>? = nil
    ) -> [TokenOffsets] {
        let texts = [CharacterPositions(text), CharacterPositions(pair ?? UnsafeBufferPointer(start: nil, count: 0))]
        return zip(offsets, sequenceIDs).map { offsets, sequence in
            guard sequence == 0 || sequence == 1 else { return offsets }
            return texts[Int(sequence)].offsets(ofBytes: offsets)
        }
    }
}

/// How many Unicode characters a text has, where bytes that are none count as what replaces them.
package func characterCount(_ text: UnsafeBufferPointer<UInt8>) -> Int { CharacterPositions(text).count }

/// How many characters stand before every byte of a text.
private struct CharacterPositions {
    /// Nil for ASCII, where both counts are the same.
    private let before: [Int32]?
    let count: Int

    init(_ text: UnsafeBufferPointer<UInt8>) {
        if text.allSatisfy({ $0 < 0x80 }) {
            before = nil
            count = text.count
            return
        }
        var before: [Int32] = []
        before.reserveCapacity(text.count)
        var characters: Int32 = 0
        let bytes = UnsafeRawBufferPointer(text)
        while before.count < bytes.count {
            // What is ill-formed counts as the character that replaces it.
            let length =
                UTF8Scanning.sequenceLength(in: bytes, at: before.count)
                ?? UTF8Scanning.illFormedLength(in: bytes, at: before.count)
            for _ in 0..<length { before.append(characters) }
            characters += 1
        }
        self.before = before
        count = Int(characters)
    }

    func offsets(ofBytes offsets: TokenOffsets) -> TokenOffsets {
        guard let before else { return offsets }
        func character(at byte: Int32) -> Int32 {
            byte >= 0 && Int(byte) < before.count ? before[Int(byte)] : Int32(truncatingIfNeeded: count)
        }
        return TokenOffsets(character(at: offsets.start), character(at: offsets.end))
    }
}
