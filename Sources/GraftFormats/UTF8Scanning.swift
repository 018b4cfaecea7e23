/// Well-formed UTF-8 (Unicode 16, table 3-7): no overlong forms, no surrogates, nothing beyond
/// U+10FFFF.
package enum UTF8Scanning {
    /// Bytes of the sequence that starts at `position`, or nil if none does. `position` is within
    /// the bytes.
    package static func sequenceLength(in bytes: UnsafeRawBufferPointer, at position: Int) -> Int? {
        guard let (length, found) = prefix(of: bytes, at: position), found == length else { return nil }
        return length
    }

    /// Bytes of what stands at `position`, where no sequence starts: as many as begin one, at least
    /// 1. It is what one U+FFFD replaces (Unicode 16, section 3.9, "maximal subpart"), in Python
    /// and in browsers as well.
    package static func illFormedLength(in bytes: UnsafeRawBufferPointer, at position: Int) -> Int {
        prefix(of: bytes, at: position)?.found ?? 1
    }

    /// Bytes that the sequence at `position` has by its first one, and how many of them are there;
    /// nil where none begins.
    private static func prefix(
        of bytes: UnsafeRawBufferPointer, at position: Int
    ) -> (length: Int, found: Int)? {
        let lead = bytes[position]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0x00...0x7F: return (1, 1)
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xE1...0xEC, 0xEE...0xEF: length = 3
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return nil
        }
        let rest = min(length, bytes.count - position)
        guard rest > 1, second.contains(bytes[position + 1]) else { return (length, 1) }
        var found = 2
        while found < rest, bytes[position + found] & 0xC0 == 0x80 { found += 1 }
        return (length, found)
    }

    /// Offset of the first byte that is not well-formed UTF-8, or nil.
    package static func firstInvalid(in bytes: UnsafeRawBufferPointer) -> Int? {
        var position = 0
        while position < bytes.count {
            guard let length = sequenceLength(in: bytes, at: position) else { return position }
            position += length
        }
        return nil
    }
}
