import GraftFormats
import GraftTokenizers

/// How JSON is written where a schema asks for it: each value in one spelling, but for a space
/// behind `:` and `,`, which may be there or not.
enum JSONTexts {
    /// Characters with an escape of a letter.
    private static let escapes: [(character: UInt32, letter: Unicode.Scalar)] = [
        (0x08, "b"), (0x09, "t"), (0x0A, "n"), (0x0C, "f"), (0x0D, "r"), (0x22, "\""), (0x5C, "\\"),
    ]
    private static let escaped = escapes.reduce(ScalarSet(0x00...0x1F)) { $0.union(ScalarSet($1.character)) }

    /// A character within a string: itself, or the one escape that stands for it.
    static func character(of set: ScalarSet) -> TextPattern {
        let letters = escapes.filter { set.contains($0.character) }.reduce(ScalarSet.none) {
            $0.union(ScalarSet($1.letter.value))
        }
        var all: [TextPattern] = [
            .characters(set.subtracting(escaped)), .sequence([.text("\\"), .characters(letters)]),
        ]
        for high: UInt32 in 0...1 {
            var digits = ScalarSet.none
            for (low, digit) in "0123456789abcdef".unicodeScalars.enumerated() {
                let character = 16 * high + UInt32(low)
                if set.contains(character), !escapes.contains(where: { $0.character == character }) {
                    digits = digits.union(ScalarSet(digit.value))
                }
            }
            all.append(.sequence([.text("\\u00\(high)"), .characters(digits)]))
        }
        return .choice(all)
    }

    static func quoted(_ pattern: TextPattern) -> TextPattern { .sequence([.text("\""), pattern, .text("\"")]) }

    private static func mark(_ text: String) -> TextPattern { .sequence([.text(text), .optional(.text(" "))]) }
    // Patterns are made where they are used: what tells of leaks does not see that one which a
    // program keeps is reached, since its pointer carries the case.
    static var comma: TextPattern { mark(",") }
    static var colon: TextPattern { mark(":") }

    /// A value as it is.
    static func value(_ value: JSON) -> TextPattern {
        .text(value.serialized(JSON.Style(escapesNonASCII: false)))
    }

    // MARK: Numbers

    private static var digit: TextPattern { .characters(ExpressionParser.digits) }
    /// Models that count have no end by themselves.
    static var integer: TextPattern {
        .sequence([
            .optional(.text("-")),
            .choice([
                .text("0"),
                .sequence([
                    .characters(ScalarSet(0x31...0x39)), .repeated(digit, least: 0, most: IntegerRange.mostDigits - 1),
                ]),
            ]),
        ])
    }
    static var number: TextPattern {
        .sequence([
            integer, .optional(.sequence([.text("."), .repeated(digit, least: 1, most: IntegerRange.mostDigits)])),
            .optional(
                .sequence([
                    .choice([.text("e"), .text("E")]), .optional(.choice([.text("+"), .text("-")])),
                    .repeated(digit, least: 1, most: 2),
                ])),
        ])
    }

    // MARK: Collections

    /// Values of one kind between brackets.
    static func array(of element: TextPattern, least: Int, most: Int?) -> TextPattern {
        let others = TextPattern.sequence([comma, element])
        let some = TextPattern.sequence([
            element, .repeated(others, least: max(least, 1) - 1, most: most.map { max($0, 1) - 1 }),
        ])
        let inner: TextPattern = most == 0 ? .bytes([]) : least == 0 ? .optional(some) : some
        return .sequence([.text("["), inner, .text("]")])
    }

    /// Members of any names between braces.
    static func object(of value: TextPattern) -> TextPattern {
        let member = TextPattern.sequence([quoted(.any(character(of: .all))), colon, value])
        let others = TextPattern.any(.sequence([comma, member]))
        return .sequence([.text("{"), .optional(.sequence([member, others])), .text("}")])
    }
}
