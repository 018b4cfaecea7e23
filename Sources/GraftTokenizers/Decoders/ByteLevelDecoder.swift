import GraftTensor

/// Turns the printable characters of byte-level tokens back into bytes; bytes that make no
/// character become U+FFFD.
struct ByteLevelDecoder: TokenDecoder {
    func decode(_ tokens: TokenTexts) -> TokenTexts {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(tokens.bytes.count)
        for index in 0..<tokens.count { append(tokens[index], to: &bytes) }
        var result = TokenTexts()
        result.append(String(decoding: bytes, as: UTF8.self).utf8)
        return result
    }

    func bytesOfEach(_ tokens: TokenTexts) -> TokenTexts? {
        var result = TokenTexts()
        var bytes: [UInt8] = []
        for index in 0..<tokens.count {
            append(tokens[index], to: &bytes)
            result.append(bytes)
            bytes.removeAll(keepingCapacity: true)
        }
        return result
    }

    /// A token with other characters than those is taken as it is.
    private func append(_ token: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        let start = bytes.count
        for scalar in String(decoding: token, as: UTF8.self).unicodeScalars {
            guard scalar.value < 0x200, let byte = UInt8(exactly: ByteLevelAlphabet.bytes[Int(scalar.value)]) else {
                bytes.removeSubrange(start...)
                bytes.append(contentsOf: token)
                return
            }
            bytes.append(byte)
        }
    }
}
