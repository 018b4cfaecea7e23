import GraftTensor

/// The memory of one encoding under way. The tokenizer keeps some, and lends each to one call at a
/// time.
final class Scratch: @unchecked Sendable {
    var first = SequenceWork()
    var second = SequenceWork()
    var model = ModelScratch()

    /// Bytes of a new one, about: most are the word cache's.
    static let size = 2 << 20

    func release() {
        first.release()
        second.release()
        model.release()
    }
}

/// One of the texts of an encoding on its way from bytes to tokens.
struct SequenceWork: ~Copyable {
    var text = WorkingText()
    var tokens = Buffer<FoundToken>(capacity: 256)
    private(set) var original = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    /// The tokens that stay after truncation.
    var kept = 0..<0
    var isShortened: Bool { kept.count < tokens.count }

    mutating func begin(_ original: UnsafeBufferPointer<UInt8>) {
        self.original = original
        tokens.count = 0
        kept = 0..<0
        text.begin(original)
    }

    mutating func release() {
        original = UnsafeBufferPointer(start: nil, count: 0)
        text.release()
        tokens.count = 0
        kept = 0..<0
        tokens.releaseIfLarger(than: 1 << 20)
    }

    /// Makes the tokens' positions in the working text those in the original.
    mutating func locateTokens() {
        let view = text.view
        for index in 0..<tokens.count {
            let token = tokens.base[index]
            let piece = text.pieces[Int(token.piece)]
            if token.end > piece.end {
                locateOverrun(index, piece)
                continue
            }
            let origin = view.original(Int(token.start), Int(token.end))
            tokens.base[index].start = Int32(bitPattern: origin.start)
            tokens.base[index].end = Int32(bitPattern: origin.end)
        }
    }

    /// Of bytes that a prefix or suffix fell back to, some tokens are beyond their word: there is
    /// nothing that they stand for. Their positions count from the word, as in Hugging Face
    /// `tokenizers`, but end with the text.
    private mutating func locateOverrun(_ index: Int, _ piece: Piece) {
        let token = tokens.base[index]
        tokens.base[index].start = characterStart(atOrBefore: token.start - piece.start)
        tokens.base[index].end = characterStart(atOrBefore: token.end - piece.start)
    }

    private func characterStart(atOrBefore position: Int32) -> Int32 {
        var start = min(Int(position), original.count)
        while start > 0, start < original.count, original[start] & 0xC0 == 0x80 { start -= 1 }
        return Int32(start)
    }

    /// The position after the character of the original at `position`.
    func characterEnd(after position: Int) -> Int {
        var end = position + 1
        while end < original.count, original[end] & 0xC0 == 0x80 { end += 1 }
        return end
    }

    /// The position of the character of the original that ends at `position`.
    func characterStart(before position: Int) -> Int {
        var start = position - 1
        while start > 0, original[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }
}
