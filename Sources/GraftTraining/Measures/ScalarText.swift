import GraftFormats

/// Texts as Python's `str` sees them, scalar by scalar, for measures that its programs define.
typealias ScalarText = [Unicode.Scalar]

extension ScalarText {
    init(_ text: String) { self = Array(text.unicodeScalars) }

    /// As `str.lower`, which writes a sigma at the end of a word as such.
    var lowercased: ScalarText {
        var lower: ScalarText = []
        lower.reserveCapacity(count)
        for (place, scalar) in enumerated() {
            if scalar.isASCII {
                lower.append(("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar)
            } else if scalar.isHan || !scalar.properties.changesWhenLowercased {
                lower.append(scalar)
            } else if scalar == "\u{3a3}", PythonScalars.endsWord(map(\.value), at: place) {
                lower.append("\u{3c2}")
            } else {
                lower += scalar.properties.lowercaseMapping.unicodeScalars
            }
        }
        return lower
    }

    /// As `str.strip`.
    var trimmed: ScalarText {
        guard let first = firstIndex(where: { !$0.isSpace }), let last = lastIndex(where: { !$0.isSpace })
        else { return [] }
        return last - first == count - 1 ? self : Array(self[first...last])
    }

    /// As `str.split`: what stands between white space.
    var words: [ScalarText] { split(whereSeparator: \.isSpace).map(Array.init) }

    /// As `str.replace`, from left to right.
    func replacing(_ pattern: String, with other: String) -> ScalarText {
        let pattern = ScalarText(pattern)
        var made: ScalarText = []
        var place = 0
        while place < count {
            if self[place] == pattern[0], self[place...].starts(with: pattern) {
                made += other.unicodeScalars
                place += pattern.count
            } else {
                made.append(self[place])
                place += 1
            }
        }
        return made
    }
}

extension Unicode.Scalar {
    /// As `str.isspace`.
    var isSpace: Bool { PythonScalars.isSpace(value) }

    /// Of the block of Chinese characters that nearly all texts are written with: asking its
    /// properties would take long.
    var isHan: Bool { ("\u{4E00}"..."\u{9FFF}").contains(self) }

    var isDigit: Bool { ("0"..."9").contains(self) }
}
