/// What a model's files say of the texts that it writes, whoever asks for them.
package struct WritingRules: Sendable {
    /// Where an encoder reads the row: what its text begins with, which is not part of it.
    package let start: Int32?
    /// Tokens that a text has first, and last where it ends because it is as long as it may become.
    private let first: Int32?
    private let last: Int32?
    /// Tokens that no text has.
    package let banned: [Int32]

    package init(start: Int32? = nil, first: Int32? = nil, last: Int32? = nil, banned: [Int32] = []) {
        self.start = start
        self.first = first
        self.last = last
        self.banned = banned
    }

    /// Has the logits of a text's next token choose what the rules say; whether that is one token.
    package func rule(_ logits: UnsafeMutableBufferPointer<Float>, isFirst: Bool, isLast: Bool) -> Bool {
        if let forced = (isFirst ? first : nil) ?? (isLast ? last : nil),
            logits.indices.contains(Int(forced))
        {
            logits.update(repeating: -.infinity)
            logits[Int(forced)] = 0
            return true
        }
        for token in banned where logits.indices.contains(Int(token)) { logits[Int(token)] = -.infinity }
        return false
    }
}
