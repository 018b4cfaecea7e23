import GraftTensor

extension Tokenizer {
    /// The text that tokens stand for. Ids that no token has are left out.
    package func decode(_ ids: some Collection<Int32>, skipSpecialTokens: Bool = true) throws(GraftError)
        -> String
    {
        var tokens = TokenTexts()
        for id in ids { append(id, to: &tokens, skipSpecialTokens: skipSpecialTokens) }
        return String(decoding: try decodedBytes(tokens), as: UTF8.self)
    }

    private func append(_ id: Int32, to tokens: inout TokenTexts, skipSpecialTokens: Bool) {
        if let added = addedTokens.decoded(id) {
            if !(skipSpecialTokens && added.isSpecial) { tokens.append(added.text) }
            return
        }
        _ = vocabulary.withToken(id) { bytes in
            if !(skipSpecialTokens && addedTokens.isSpecial(bytes)) { tokens.append(bytes) }
        }
    }

    private func decodedBytes(_ tokens: TokenTexts) throws(GraftError) -> [UInt8] {
        guard let decoders else {
            var joined: [UInt8] = []
            for index in 0..<tokens.count {
                if index > 0 { joined.append(UInt8(ascii: " ")) }
                joined.append(contentsOf: tokens[index])
            }
            return joined
        }
        var tokens = tokens
        for decoder in decoders { tokens = try decoder.decode(tokens) }
        return tokens.bytes
    }
}
