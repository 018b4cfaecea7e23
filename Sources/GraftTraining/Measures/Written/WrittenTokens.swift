/// How texts that a model wrote are cut into what is counted, as sacrebleu and rouge-score do it.
enum WrittenTokens: String, CaseIterable {
    /// WMT's mteval-v13a, of languages with blanks between words: punctuation stands alone, but
    /// periods and commas within numbers.
    case western = "13a"
    /// Chinese characters, and the words of other languages.
    case chinese = "zh"
    /// All characters.
    case characters = "char"

    /// What BLEU counts.
    func tokens(_ text: ScalarText) -> [ScalarText] {
        switch self {
        case .western: Self.punctuated([" "] + Self.plain(text) + [" "])
        case .chinese: Self.punctuated(Self.apart(text.trimmed, Self.standsApart))
        case .characters: text.filter { !$0.isSpace }.map { [$0] }
        }
    }

    /// What ROUGE counts, without stemming: of Chinese what is usual for it; of other texts words
    /// in a to z.
    func words(_ text: ScalarText) -> [ScalarText] {
        let lower = text.lowercased
        guard self == .western else { return lower.filter { !$0.isSpace }.map { [$0] } }
        return lower.split { !($0.isDigit || ("a"..."z").contains($0)) }.map(Array.init)
    }

    /// Without the marks of files of translations.
    private static func plain(_ text: ScalarText) -> ScalarText {
        var plain = text
        while plain.last?.isSpace == true { plain.removeLast() }
        for (mark, other) in [("<skipped>", ""), ("-\n", ""), ("\n", " ")] {
            plain = plain.replacing(mark, with: other)
        }
        guard plain.contains("&") else { return plain }
        for (mark, other) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
            plain = plain.replacing(mark, with: other)
        }
        return plain
    }

    private static func punctuated(_ text: ScalarText) -> [ScalarText] {
        var text = apart(text, isPunctuation)
        text = pairs(text, { !$0.isDigit && isPoint($1) }) { [$0, " ", $1, " "] }
        text = pairs(text, { isPoint($0) && !$1.isDigit }) { [" ", $0, " ", $1] }
        text = pairs(text, { $0.isDigit && $1 == "-" }) { [$0, " ", $1, " "] }
        return text.words
    }

    /// With blanks around what stands apart.
    private static func apart(_ text: ScalarText, _ isOne: (Unicode.Scalar) -> Bool) -> ScalarText {
        text.reduce(into: []) { made, scalar in made += isOne(scalar) ? [" ", scalar, " "] : [scalar] }
    }

    /// With what stands for each pair of neighbours that is one, from left to right; no two share a
    /// scalar.
    private static func pairs(
        _ text: ScalarText, _ isOne: (Unicode.Scalar, Unicode.Scalar) -> Bool,
        _ made: (Unicode.Scalar, Unicode.Scalar) -> ScalarText
    ) -> ScalarText {
        var written: ScalarText = []
        var place = 0
        while place < text.count {
            if place + 1 < text.count, isOne(text[place], text[place + 1]) {
                written += made(text[place], text[place + 1])
                place += 2
            } else {
                written.append(text[place])
                place += 1
            }
        }
        return written
    }

    private static func isPoint(_ scalar: Unicode.Scalar) -> Bool { scalar == "." || scalar == "," }

    /// ASCII's, but apostrophe, comma, hyphen and period.
    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "{"..."~", "["..."`", " "..."&", "("..."+", ":"..."@", "/": true
        default: false
        }
    }

    /// What sacrebleu's tokenizer for Chinese sets apart. Its ranges of rarer characters are none,
    /// and what it has in their place, from U+2001 on, is mostly punctuation.
    private static func standsApart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x3400...0x4db5, 0x4e00...0x9fbb, 0xf900...0xfa2d, 0xfa30...0xfa6a, 0xfa70...0xfad9, 0xff00...0xffef,
            0x2e80...0x2eff, 0x3000...0x303f, 0x31c0...0x31ef, 0x2001...0x2a6d, 0x2f00...0x2fdf, 0x2ff0...0x2fff,
            0x3100...0x312f, 0x31a0...0x31bf, 0xfe10...0xfe1f, 0xfe30...0xfe4f, 0x3200...0x33ff:
            true
        default: false
        }
    }
}
