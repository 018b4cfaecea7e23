import GraftFormats
import GraftTensor

/// Puts a space in place of the suffix that ends words, or nothing in the last token.
struct BPEDecoder: TokenDecoder {
    private let suffix: [UInt8]

    init(_ settings: JSONObject) throws(GraftError) {
        suffix = Array((try settings.optionalString("suffix") ?? "</w>").utf8)
    }

    func decode(_ tokens: TokenTexts) -> TokenTexts {
        var result = TokenTexts()
        for index in 0..<tokens.count {
            let replacement = index == tokens.count - 1 ? [] : [UInt8(ascii: " ")]
            result.append(ByteSearch.replacing(suffix, with: replacement, in: Array(tokens[index])))
        }
        return result
    }
}
