import GraftFormats
import GraftTensor

/// SentencePiece's words: spaces become a visible character, usually `▁`, which begins the word
/// after it.
struct Metaspace: PreTokenizer, TokenDecoder {
    private enum Scheme: String {
        /// Before every piece of text between added tokens.
        case always
        /// Only at the start of the whole text.
        case first
        case never
    }
    private let replacement: [UInt8]
    private let scheme: Scheme
    private let splits: Bool

    var addsPrefixSpace: Bool { scheme != .never }

    init(_ settings: JSONObject) throws(GraftError) {
        let replacement = try settings.string("replacement")
        guard replacement.unicodeScalars.count == 1 else {
            throw settings.unexpected("replacement", expected: "one character")
        }
        self.replacement = Array(replacement.utf8)
        guard var scheme = Scheme(rawValue: try settings.optionalString("prepend_scheme") ?? "always") else {
            throw settings.unexpected("prepend_scheme", expected: "always, first or never")
        }
        if try settings.optionalBool("add_prefix_space") == false {
            guard scheme == .never || settings["prepend_scheme"] == nil else {
                throw settings.unexpected("prepend_scheme", expected: "never, as add_prefix_space is false")
            }
            scheme = .never
        }
        self.scheme = scheme
        splits = try settings.optionalBool("split") ?? true
    }

    func divide(_ text: inout WorkingText) throws(GraftError) {
        try text.rewrite { (source, range, out) throws(GraftError) in
            write(source, range, into: &out)
        }
        guard splits else { return }
        let pattern = Pattern.literal(replacement)
        try text.split(.mergedWithNext) { (source, range, spans) throws(GraftError) in
            try pattern.appendSpans(source, range, to: &spans)
        }
    }

    private func write(_ source: TextView, _ range: Range<Int>, into out: inout TextBuffer) {
        let space = UInt8(ascii: " ")
        let startsWithMark =
            source[range.lowerBound] == space || source.bytes[range].starts(with: replacement)
        let isPrepended =
            switch scheme {
            case .always: !startsWithMark
            case .first: !startsWithMark && source.alignment(at: range.lowerBound).start == 0
            case .never: false
            }
        if isPrepended { out.prepend(replacement, to: source, range) }
        var copied = range.lowerBound
        for position in range where source[position] == space {
            out.copy(source, copied, position)
            out.beginAlignment()
            for byte in replacement { out.append(byte, source.alignment(at: position)) }
            copied = position + 1
        }
        out.copy(source, copied, range.upperBound)
    }

    // MARK: Decoding

    func decode(_ tokens: TokenTexts) -> TokenTexts { decode(tokens, dropsFirst: scheme != .never) }

    func bytesOfEach(_ tokens: TokenTexts) -> TokenTexts? { decode(tokens, dropsFirst: false) }

    private func decode(_ tokens: TokenTexts, dropsFirst: Bool) -> TokenTexts {
        var result = TokenTexts()
        for index in 0..<tokens.count {
            let isDropped = index == 0 && dropsFirst
            result.append(
                ByteSearch.replacing(replacement, with: isDropped ? [] : [UInt8(ascii: " ")], in: Array(tokens[index])))
        }
        return result
    }
}
