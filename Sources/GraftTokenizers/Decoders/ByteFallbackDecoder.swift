import GraftTensor

/// Turns runs of tokens such as `<0x61>` into the text of their bytes; a run that is not UTF-8 into
/// one U+FFFD a byte.
struct ByteFallbackDecoder: TokenDecoder {
    func decode(_ tokens: TokenTexts) -> TokenTexts {
        var result = TokenTexts()
        var run: [UInt8] = []
        func endRun() {
            guard !run.isEmpty else { return }
            if run.withUnsafeBufferPointer({ UTF8Validation.firstInvalid($0) }) == nil {
                result.append(run)
            } else {
                for _ in run { result.append("\u{FFFD}".utf8) }
            }
            run.removeAll(keepingCapacity: true)
        }
        for index in 0..<tokens.count {
            if let byte = Self.byte(tokens[index]) {
                run.append(byte)
            } else {
                endRun()
                result.append(tokens[index])
            }
        }
        endRun()
        return result
    }

    func bytesOfEach(_ tokens: TokenTexts) -> TokenTexts? {
        var result = TokenTexts()
        for index in 0..<tokens.count {
            if let byte = Self.byte(tokens[index]) {
                result.append(CollectionOfOne(byte))
            } else {
                result.append(tokens[index])
            }
        }
        return result
    }

    /// The byte that a token such as `<0x61>` stands for.
    static func byte(_ token: ArraySlice<UInt8>) -> UInt8? {
        guard token.count == 6, token.starts(with: "<0x".utf8), token.last == UInt8(ascii: ">") else { return nil }
        return UInt8(String(decoding: token.dropFirst(3).dropLast(), as: UTF8.self), radix: 16)
    }
}
