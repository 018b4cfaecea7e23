/// Texts as Python's `str` sees them, scalar by scalar, for measures that its programs define.
typealias ScalarText = [Unicode.Scalar]

extension ScalarText {
    init(_ text: String) { self = Array(text.unicodeScalars) }

    /// As `str.lower`, which writes a sigma at the end of a word as such.
    var lowercased: ScalarText {
        var lower: ScalarText = []
        for (place, scalar) in enumerated() {
            if scalar.isASCII {
                lower.append(("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar)
            } else if scalar == "\u{3a3}", endsWord(place) {
                lower.append("\u{3c2}")
            } else {
                lower += scalar.properties.lowercaseMapping.unicodeScalars
            }
        }
        return lower
    }

    private func endsWord(_ place: Int) -> Bool {
        func isCased(_ next: Unicode.Scalar?) -> Bool { next?.properties.isCased ?? false }
        return isCased(self[..<place].last { !$0.properties.isCaseIgnorable })
            && !isCased(self[(place + 1)...].first { !$0.properties.isCaseIgnorable })
    }

    /// As `str.strip`.
    var trimmed: ScalarText {
        guard let first = firstIndex(where: { !$0.isSpace }), let last = lastIndex(where: { !$0.isSpace })
        else { return [] }
        return Array(self[first...last])
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
    var isSpace: Bool {
        switch value {
        case 9...13, 28...32, 0x85, 0xa0, 0x1680, 0x2000...0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000: true
        default: false
        }
    }

    var isDigit: Bool { ("0"..."9").contains(self) }
}
