import GraftTensor
import GraftTokenizers

/// The text of one row's tokens as they come, never with half a character.
///
/// A token's text depends on those before it (a space that is left out at the start, bytes that make a character together),
/// so each is decoded behind a few earlier ones, whose text is then taken off.
struct TextStream {
    private let tokenizer: Tokenizer
    /// Earlier tokens, then those whose text has not come out yet.
    private var tokens: [Int32]
    private var earlierCount: Int

    /// A token that stands for bytes has at most four before its character is whole; a few more show where words begin.
    private static let context = 8

    init(_ tokenizer: Tokenizer, prompt: some Collection<Int32>) {
        self.tokenizer = tokenizer
        tokens = Array(prompt.suffix(Self.context))
        earlierCount = tokens.count
    }

    /// What the token adds: "" where it ends within a character.
    mutating func add(_ token: Int32) throws(GraftError) -> String {
        tokens.append(token)
        return try text(isLast: false)
    }

    /// What is left when the row has ended: of an incomplete character, U+FFFD.
    mutating func finish() throws(GraftError) -> String { try text(isLast: true) }

    private mutating func text(isLast: Bool) throws(GraftError) -> String {
        guard tokens.count > earlierCount else { return "" }
        let earlier = Array(try tokenizer.decode(tokens[..<earlierCount]).utf8)
        let all = Array(try tokenizer.decode(tokens).utf8)
        if Self.endsIncomplete(all), !isLast { return "" }
        // The prompt may end within a character, which is whole now.
        let whole = Self.withoutIncomplete(earlier)
        let text: ArraySlice<UInt8>
        if all.starts(with: earlier) {
            text = all[earlier.count...]
        } else if whole.count < earlier.count, all.starts(with: whole) {
            text = all[whole.count...]
        } else {
            // Bytes that make no character spoil those before them in the same run of bytes, which are out already.
            text = Array(try tokenizer.decode(tokens[earlierCount...]).utf8)[...]
        }
        tokens = Array(tokens.suffix(Self.context))
        earlierCount = tokens.count
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether the text ends in U+FFFD, which bytes of an incomplete character decode to.
    private static func endsIncomplete(_ text: some Collection<UInt8>) -> Bool {
        text.suffix(3).elementsEqual([0xef, 0xbf, 0xbd])
    }

    private static func withoutIncomplete(_ text: [UInt8]) -> ArraySlice<UInt8> {
        var whole = text[...]
        while endsIncomplete(whole) { whole.removeLast(3) }
        return whole
    }
}
