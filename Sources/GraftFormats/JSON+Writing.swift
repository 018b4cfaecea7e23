extension JSON {
    /// How text is laid out. The default is Python's `json.dumps(value)`.
    package struct Style: Sendable {
        /// Spaces per level, each member on a line of its own; nil for one line.
        package var indent: Int?
        /// Members by Unicode scalars of their keys, as `sort_keys=True`.
        package var sortsKeys = false
        /// Keys whose objects keep their members' order all the same.
        package var unsorted: Set<String> = []
        /// `\uXXXX` for everything beyond printable ASCII, as `ensure_ascii=True`.
        package var escapesNonASCII = true
        /// No white space at all, as serde_json writes.
        package var isCompact = false

        package init(
            indent: Int? = nil, sortsKeys: Bool = false, unsorted: Set<String> = [], escapesNonASCII: Bool = true,
            isCompact: Bool = false
        ) {
            self.indent = indent
            self.sortsKeys = sortsKeys
            self.unsorted = unsorted
            self.escapesNonASCII = escapesNonASCII
            self.isCompact = isCompact
        }
    }

    /// The value's text, equal to that of Python's `json.dumps` to the byte. No newline at the end.
    package func serialized(indent: Int? = nil, sortedKeys: Bool = false) -> String {
        serialized(Style(indent: indent, sortsKeys: sortedKeys))
    }

    package func serialized(_ style: Style) -> String {
        String(decoding: serializedBytes(style), as: UTF8.self)
    }

    package func serializedBytes(_ style: Style) -> [UInt8] {
        var writer = JSONTextWriter(style: style)
        writer.write(self, level: 0, sortsKeys: style.sortsKeys)
        return writer.bytes
    }

    /// A string in quotes and escaped for a message, cut when long.
    package var shortText: String {
        guard case .string(let text) = self else { return kind }
        return JSON.string(text.shortened).serialized(Style(escapesNonASCII: false))
    }

    /// Any value for a message: a number as it stands, a string in quotes, of others what they are.
    package var briefText: String {
        if case .number(let text) = self { text.shortened } else { shortText }
    }
}

extension String {
    /// The text, or its start when it is long: a message must not repeat a hostile file.
    var shortened: String {
        utf8.count <= 80 ? self : String(String.UnicodeScalarView(unicodeScalars.prefix(40))) + "…"
    }
}

private struct JSONTextWriter {
    let style: JSON.Style
    var bytes: [UInt8] = []

    init(style: JSON.Style) {
        self.style = style
    }

    mutating func write(_ value: JSON, level: Int, sortsKeys: Bool) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .number(let text): append(text)
        case .string(let text): write(text)
        case .array(let elements):
            write(elements, "[", "]", level) { writer, element in
                writer.write(element, level: level + 1, sortsKeys: sortsKeys)
            }
        case .object(let object):
            let members = Array(object)
            let ordered =
                sortsKeys ? members.sorted { ExactString($0.key) < ExactString($1.key) } : members
            write(ordered, "{", "}", level) { writer, member in
                writer.write(member.key)
                writer.append(writer.style.isCompact ? ":" : ": ")
                writer.write(
                    member.value, level: level + 1,
                    sortsKeys: sortsKeys && !writer.style.unsorted.contains(member.key))
            }
        }
    }

    private mutating func write<Element>(
        _ elements: [Element], _ opening: String, _ closing: String, _ level: Int,
        _ writeElement: (inout JSONTextWriter, Element) -> Void
    ) {
        append(opening)
        if !elements.isEmpty {
            for (index, element) in elements.enumerated() {
                if index > 0 { append(style.indent != nil || style.isCompact ? "," : ", ") }
                breakLine(level + 1)
                writeElement(&self, element)
            }
            breakLine(level)
        }
        append(closing)
    }

    private mutating func breakLine(_ level: Int) {
        guard let indent = style.indent else { return }
        bytes.append(ascii("\n"))
        bytes.append(contentsOf: repeatElement(ascii(" "), count: indent * level))
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func write(_ text: String) {
        bytes.append(ascii("\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": append("\\\"")
            case "\\": append("\\\\")
            case "\n": append("\\n")
            case "\r": append("\\r")
            case "\t": append("\\t")
            case "\u{08}": append("\\b")
            case "\u{0C}": append("\\f")
            case " "..."~": bytes.append(ascii(scalar))
            case _ where scalar.value < 0x20 || style.escapesNonASCII:
                for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter { writeEscape(unit) }
            default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
        bytes.append(ascii("\""))
    }

    private mutating func writeEscape(_ unit: UInt16) {
        let digits = String(unit, radix: 16)
        append("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits)
    }
}
