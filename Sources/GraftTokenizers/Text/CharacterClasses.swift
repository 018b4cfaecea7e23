/// What the characters are, exactly as Hugging Face `tokenizers` sees them.
///
/// That package carries tables of its own: general categories of Unicode 8 with a few corrections
/// made since, combining marks and decompositions of Unicode 9, letter case and white space of
/// today. Here they are today's properties from the Swift standard library, without the characters
/// that are younger than those tables, and with the few that changed. A golden test compares every
/// scalar.
enum CharacterClasses {
    /// Unicode's White_Space.
    static func isWhitespace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace
    }

    /// Characters that BertNormalizer's `clean_text` drops: control, format and private use, NUL
    /// and U+FFFD.
    static func isBertControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\t", "\n", "\r": return false
        case "\u{FFFD}": return true
        default: break
        }
        guard isOf(scalar, unicode: 8) else { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .privateUse: return true
        default: return false
        }
    }

    /// The blocks that BertNormalizer's `handle_chinese_chars` surrounds with spaces.
    static func isBertChinese(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            return true
        default: return false
        }
    }

    /// Punctuation of any script, and every ASCII character that is neither letter, digit, space
    /// nor control.
    static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
        case 0x166D, 0x111C9: return true
        default: break
        }
        guard isOf(scalar, unicode: 8) else { return false }
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            return true
        default: return false
        }
    }

    /// Numbers of any kind: digits, numerals, fractions.
    static func isNumber(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: true
        default: false
        }
    }

    /// What `\w` matches in Rust's regular expressions.
    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        UnicodeProperties.rustWord.contains(scalar.value)
    }

    /// Non-spacing marks: what BertNormalizer's `strip_accents` drops after decomposition.
    static func isNonspacingMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1734, 0x1171E: return true
        case 0x1885, 0x1886, 0xA9BD, 0x111C9: return false
        default: return isOf(scalar, unicode: 8) && scalar.properties.generalCategory == .nonspacingMark
        }
    }

    /// Marks of any kind: what the StripAccents normalizer drops.
    static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1CF2, 0x1CF3: return true
        case 0x111C9: return false
        default: break
        }
        guard isOf(scalar, unicode: 9) else { return false }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return true
        default: return false
        }
    }

    /// Whether a character was in Unicode by a major version. Unassigned ones are in none.
    static func isOf(_ scalar: Unicode.Scalar, unicode version: Int) -> Bool {
        guard let age = scalar.properties.age else { return false }
        return age.major < version || (age.major == version && age.minor == 0)
    }
}
