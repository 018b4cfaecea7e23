import GraftTensor

/// Decodes tokens one by one as they are generated, and hands out text only in whole characters.
///
/// What `append` and `finish` return, end to end, is what `decode` makes of all the tokens, as long
/// as their bytes make characters; ids that no token has are left out. Text is held back while it
/// ends in U+FFFD, which stands for a character whose other bytes may still come. A token costs the
/// decoding of the few tokens since text was last handed out.
package struct TextStream {
    private let tokenizer: Tokenizer
    private let skipsSpecialTokens: Bool
    /// The tokens since the last but one time that text was handed out: decoders look at
    /// neighbours.
    private var ids: [Int32] = []
    /// How many of them were decoded into `prefix`.
    private var prefixCount = 0
    /// The text of those, handed out already.
    private var prefix: [UInt8] = []

    /// No character takes more tokens: what is longer held back is none.
    private static let mostHeldBack = 16

    /// The latest tokens of a text show where words begin; a character that it ends within has
    /// fewer.
    private static let contextCount = 8

    /// Those of a text's tokens that decoding goes by.
    static func context(of text: some Collection<Int32>) -> [Int32] { Array(text.suffix(contextCount)) }

    /// - Parameter text: The tokens that those to come continue; its own text does not come out
    ///   again.
    package init(
        _ tokenizer: Tokenizer, after text: some Collection<Int32> = [], skipSpecialTokens: Bool = true
    ) throws(GraftError) {
        self.tokenizer = tokenizer
        skipsSpecialTokens = skipSpecialTokens
        ids = Self.context(of: text)
        prefixCount = ids.count
        prefix = try decoded(ids[...])
        // The text may end within a character, which is whole only with the tokens to come.
        while Self.endsIncomplete(prefix) { prefix.removeLast(3) }
    }

    /// The text that a further token completes; often empty.
    package mutating func append(_ id: Int32) throws(GraftError) -> String {
        ids.append(id)
        let text = try decoded(ids[...])
        if Self.endsIncomplete(text), ids.count - prefixCount <= Self.mostHeldBack { return "" }
        let new = try newText(text)
        if new.isEmpty { return "" }
        // From here on the tokens of this step are all that decoding needs to know of the past.
        ids.removeFirst(prefixCount)
        prefixCount = ids.count
        prefix = try decoded(ids[...])
        return new
    }

    /// The text that was held back, with U+FFFD for what never became a character. The stream
    /// starts anew.
    package mutating func finish() throws(GraftError) -> String {
        let rest = try newText(try decoded(ids[...]))
        self = try TextStream(tokenizer, skipSpecialTokens: skipsSpecialTokens)
        return rest
    }

    private static func endsIncomplete(_ text: [UInt8]) -> Bool { text.suffix(3).elementsEqual("\u{FFFD}".utf8) }

    /// What is new in the text of all tokens that are kept.
    private func newText(_ text: [UInt8]) throws(GraftError) -> String {
        // Byte fallback turns a whole run of bytes into U+FFFD when one of them fits nowhere, those
        // handed out too.
        let new = text.starts(with: prefix) ? text.dropFirst(prefix.count) : try decoded(ids[prefixCount...])[...]
        return String(decoding: new, as: UTF8.self)
    }

    private func decoded(_ ids: ArraySlice<Int32>) throws(GraftError) -> [UInt8] {
        Array(try tokenizer.text(of: ids, skipSpecialTokens: skipsSpecialTokens).utf8)
    }
}
