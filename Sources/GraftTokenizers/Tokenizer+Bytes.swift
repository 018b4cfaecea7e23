import GraftTensor

extension Tokenizer {
    /// What each token that is not special adds to a text behind others.
    package func tree() throws(GraftError) -> TokenTree {
        try tokenTree.withLock { known throws(GraftError) in
            if let known { return known }
            let made = try TokenTree(try bytesOfEach())
            known = made
            return made
        }
    }

    private func bytesOfEach() throws(GraftError) -> TokenTexts {
        var texts = TokenTexts()
        for id in 0..<Int32(largestID + 1) {
            try Memory.check()
            if let added = addedTokens.decoded(id) {
                if !added.isSpecial { texts.extend(added.text) }
            } else {
                _ = vocabulary.withToken(id) { if !addedTokens.isSpecial($0) { texts.extend($0) } }
            }
            texts.endText()
        }
        var isOne = false
        for decoder in decoders ?? [] {
            // Only a text as a whole can be rid of its first space alone.
            guard isOne || !(decoder is StripDecoder), let next = try decoder.bytesOfEach(texts) else {
                throw Self.hasNoBytes
            }
            texts = next
            isOne = isOne || decoder is FuseDecoder
        }
        guard decoders != nil, !cleansUp else { throw Self.hasNoBytes }
        return texts
    }

    private static let hasNoBytes = GraftError(
        .unsupported,
        "what a token of this tokenizer adds to a text depends on those beside it: expected a decoder of byte-level BPE or "
            + "SentencePiece")

    /// Whether a text that tokens begin with a space has none: as a text of its own, or behind
    /// special tokens alone, in SentencePiece.
    package func dropsSpace(after tokens: some Collection<Int32>) throws(GraftError) -> Bool {
        let tree = try tree()
        guard let token = tree.spacedToken else { return false }
        let text = try text(of: TextStream.context(of: tokens) + [token], skipSpecialTokens: true)
        return !text.utf8.suffix(tree.text(of: token).count).elementsEqual(tree.text(of: token))
    }
}
