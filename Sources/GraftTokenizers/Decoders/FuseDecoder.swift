import GraftTensor

/// Joins all texts into one.
struct FuseDecoder: TokenDecoder {
    func decode(_ tokens: TokenTexts) -> TokenTexts {
        var result = TokenTexts()
        result.append(tokens.bytes)
        return result
    }

    func bytesOfEach(_ tokens: TokenTexts) -> TokenTexts? { tokens }
}
