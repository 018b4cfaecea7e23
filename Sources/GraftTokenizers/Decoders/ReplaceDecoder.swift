import GraftFormats
import GraftTensor

/// Puts a fixed text in place of every match of a pattern, in each text by itself.
struct ReplaceDecoder: TokenDecoder {
    private let pattern: Pattern
    private let content: [UInt8]

    init(_ settings: JSONObject) throws(GraftError) {
        pattern = try Pattern(settings)
        content = Array(try settings.string("content").utf8)
    }

    func decode(_ tokens: TokenTexts) throws(GraftError) -> TokenTexts {
        var result = TokenTexts()
        var spans = Buffer<MatchSpan>()
        for index in 0..<tokens.count {
            spans.count = 0
            try tokens[index].withUnsafeBufferPointer { (bytes) throws(GraftError) in
                guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
                let view = TextView(base: base, count: bytes.count, alignment: nil)
                try pattern.appendSpans(view, 0..<bytes.count, to: &spans)
                for index in 0..<spans.count {
                    let span = spans[index]
                    if span.isMatch {
                        try result.requireRoom(for: content.count)
                        result.extend(content)
                    } else {
                        result.extend(bytes[Int(span.start)..<Int(span.end)])
                    }
                }
            }
            result.endText()
        }
        return result
    }

    func bytesOfEach(_ tokens: TokenTexts) throws(GraftError) -> TokenTexts? { try decode(tokens) }
}
