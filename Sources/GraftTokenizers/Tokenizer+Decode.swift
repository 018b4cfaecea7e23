import GraftTensor

extension Tokenizer {
    /// The text that tokens stand for. An id that no token has is an error.
    package func decode(_ ids: some Collection<Int32>, skipSpecialTokens: Bool = true) throws(GraftError)
        -> String
    {
        for (index, id) in ids.enumerated() where !hasToken(id) {
            throw GraftError(
                .incompatible,
                "token \(index): id \(id) is outside the tokenizer's vocabulary of \(vocabularySize) tokens")
        }
        return try text(of: ids, skipSpecialTokens: skipSpecialTokens)
    }

    private func hasToken(_ id: Int32) -> Bool {
        addedTokens.decoded(id) != nil || vocabulary.withToken(id) { _ in true } ?? false
    }

    /// The same, but ids that no token has are left out: a model may have more of them than its
    /// tokenizer.
    func text(of ids: some Collection<Int32>, skipSpecialTokens: Bool) throws(GraftError) -> String {
        var tokens = TokenTexts()
        let byteCount = ids.reduce(0) { $0 + (addedTokens.decoded($1)?.text.count ?? vocabulary.length(of: $1)) }
        try Memory.require(Self.memoryPerDecodedByte * byteCount, to: "decoding \(ids.count) tokens")
        for id in ids {
            try Memory.check()
            append(id, to: &tokens, skipSpecialTokens: skipSpecialTokens)
        }
        var text = try decodedBytes(tokens)
        if cleansUp { SpaceCleanup.ofTexts.apply(to: &text) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Memory that a byte of the tokens may take on its way through the decoders, about.
    private static let memoryPerDecodedByte = 8

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
        for decoder in decoders {
            tokens = try decoder.decode(tokens)
            try Memory.check()
        }
        return tokens.bytes
    }
}
