/// A string where it stands in the bytes of a JSON file: between its quotes, checked, escapes not
/// yet resolved.
///
/// It borrows the reader's bytes and is valid as long as they are.
package struct JSONText {
    /// What is between the quotes: well-formed UTF-8.
    package let bytes: UnsafeRawBufferPointer
    /// Whether there are no escapes, so that `bytes` are the text itself.
    package let isPlain: Bool

    package var string: String {
        withUTF8 { String(decoding: $0, as: UTF8.self) }
    }

    /// Calls `body` with the text's UTF-8, escapes resolved. No copy is made of a plain text.
    package func withUTF8<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if isPlain { return try body(bytes) }
        let resolved = resolvedBytes()
        return try resolved.withUnsafeBufferPointer { buffer throws(Failure) in
            try body(UnsafeRawBufferPointer(buffer))
        }
    }

    package static func == (text: JSONText, literal: StaticString) -> Bool {
        text.withUTF8 { bytes in
            bytes.count == literal.utf8CodeUnitCount
                && bytes.elementsEqual(UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
        }
    }

    package static func ~= (literal: StaticString, text: JSONText) -> Bool {
        text == literal
    }

    private func resolvedBytes() -> [UInt8] {
        var resolved: [UInt8] = []
        resolved.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard byte == ascii("\\"), position < bytes.count else {
                resolved.append(byte)
                continue
            }
            let letter = bytes[position]
            position += 1
            switch letter {
            case ascii("b"): resolved.append(0x08)
            case ascii("f"): resolved.append(0x0C)
            case ascii("n"): resolved.append(0x0A)
            case ascii("r"): resolved.append(0x0D)
            case ascii("t"): resolved.append(0x09)
            case ascii("u"):
                var value = unit(at: position)
                position += 4
                if (0xD800...0xDBFF).contains(value) {
                    value = 0x10000 + (value - 0xD800) << 10 + (unit(at: position + 2) & 0x3FF)
                    position += 6
                }
                let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
                resolved.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            default: resolved.append(letter)
            }
        }
        return resolved
    }

    /// The four hexadecimal digits at a position, which the reader has checked.
    private func unit(at position: Int) -> UInt32 {
        bytes.dropFirst(position).prefix(4).reduce(0) { $0 << 4 | (hexadecimalValue($1) ?? 0) }
    }
}
