/// Characters as Python's `str` sees them, for all that its programs define: templates, and
/// measures of texts.
package enum PythonScalars {
    /// `str.isspace`, which is `\s` of its regular expressions, too.
    package static func isSpace(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    package static func properties(_ scalar: UInt32) -> Unicode.Scalar.Properties {
        (Unicode.Scalar(scalar) ?? "\u{FFFD}").properties
    }

    /// Whether a capital sigma ends a word: its small letter is then another.
    package static func endsWord(_ scalars: [UInt32], at place: Int) -> Bool {
        func isCased(_ value: UInt32?) -> Bool { value.map { properties($0).isCased } ?? false }
        return isCased(scalars[..<place].last { !properties($0).isCaseIgnorable })
            && !isCased(scalars[(place + 1)...].first { !properties($0).isCaseIgnorable })
    }
}
