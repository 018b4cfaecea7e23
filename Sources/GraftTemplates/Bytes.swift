import Glibc

/// Text as UTF-8, well-formed: what Python counts are characters, so lengths and places that a
/// template sees are in Unicode scalars.
typealias Bytes = [UInt8]

/// The byte of an ASCII character.
@inline(__always)
func ascii(_ character: Unicode.Scalar) -> UInt8 { UInt8(truncatingIfNeeded: character.value) }

func utf8(_ text: String) -> Bytes { Array(text.utf8) }

func text(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }

extension [UInt8] {
    /// The scalar that starts at a byte, and its length.
    func scalar(at position: Int) -> (value: UInt32, length: Int) {
        let lead = self[position]
        if lead < 0x80 { return (UInt32(lead), 1) }
        let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
        guard position + length <= count else { return (0xFFFD, count - position) }
        var value = UInt32(lead) & (0x7F >> UInt32(length))
        for index in position + 1..<position + length { value = value << 6 | UInt32(self[index] & 0x3F) }
        return (value, length)
    }

    var scalars: [UInt32] {
        var found: [UInt32] = []
        found.reserveCapacity(count)
        var position = 0
        while position < count {
            let (value, length) = scalar(at: position)
            found.append(value)
            position += length
        }
        return found
    }

    var scalarCount: Int {
        var found = 0
        for byte in self where byte & 0xC0 != 0x80 { found += 1 }
        return found
    }

    mutating func append(scalar value: UInt32) {
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    /// A part, by bytes.
    func part(_ range: Range<Int>) -> Bytes { Bytes(self[range]) }

    /// Where the scalar of a number, counted from a place on, starts; the end for one past the
    /// last.
    func byte(ofScalar number: Int, from start: Int = 0) -> Int {
        var (left, position) = (number, start)
        while position < count {
            if self[position] & 0xC0 != 0x80 {
                if left == 0 { return position }
                left -= 1
            }
            position += 1
        }
        return count
    }

    /// Where other bytes stand next, from a place on.
    func find(_ other: Bytes, from start: Int = 0) -> Int? {
        guard start >= 0, start + other.count <= count else { return nil }
        guard let first = other.first else { return start }
        return withUnsafeBytes { whole -> Int? in
            other.withUnsafeBytes { part -> Int? in
                guard let base = whole.baseAddress, let sought = part.baseAddress else { return nil }
                var place = start
                let last = whole.count - part.count
                while place <= last, let found = memchr(base + place, Int32(first), last - place + 1) {
                    if memcmp(found, sought, part.count) == 0 { return UnsafeRawPointer(found) - base }
                    place = UnsafeRawPointer(found) - base + 1
                }
                return nil
            }
        }
    }

    /// Where other bytes stand last, ending at a place or before.
    func findLast(_ other: Bytes, before end: Int) -> Int? {
        var start = Swift.min(end, count) - other.count
        while start >= 0 {
            if holds(other, at: start) { return start }
            start -= 1
        }
        return nil
    }

    func holds(_ other: Bytes, at start: Int) -> Bool {
        guard start >= 0, start + other.count <= count else { return false }
        for index in other.indices where self[start + index] != other[index] { return false }
        return true
    }

    func starts(with other: Bytes) -> Bool { holds(other, at: 0) }
    func ends(with other: Bytes) -> Bool { holds(other, at: count - other.count) }
}
