import GraftFormats
import GraftTensor

/// Drops up to so many copies of a character from the start and the end of each text.
struct StripDecoder: TokenDecoder {
    private let content: [UInt8]
    private let start: Int
    private let stop: Int

    init(_ settings: JSONObject) throws(GraftError) {
        let content = try settings.string("content")
        guard content.unicodeScalars.count == 1 else { throw settings.unexpected("content", expected: "one character") }
        self.content = Array(content.utf8)
        start = try settings.int("start")
        stop = try settings.int("stop")
        guard start >= 0, stop >= 0 else {
            throw settings.unexpected(start < 0 ? "start" : "stop", expected: "0 or more")
        }
    }

    func decode(_ tokens: TokenTexts) -> TokenTexts {
        var result = TokenTexts()
        for index in 0..<tokens.count {
            var text = tokens[index]
            var left = start
            while left > 0, text.starts(with: content) {
                text = text.dropFirst(content.count)
                left -= 1
            }
            left = stop
            while left > 0, !text.isEmpty, text.suffix(content.count).elementsEqual(content) {
                text = text.dropLast(content.count)
                left -= 1
            }
            result.append(text)
        }
        return result
    }

    /// Of a text that is one by now, which it begins: others are as they were.
    func bytesOfEach(_ tokens: TokenTexts) -> TokenTexts? { stop == 0 ? tokens : nil }
}
