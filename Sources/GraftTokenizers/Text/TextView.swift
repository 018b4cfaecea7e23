/// The bytes of the original text that a byte of normalised text stands for: whole characters.
struct Alignment: BitwiseCopyable, Equatable {
    var start: UInt32
    var end: UInt32

    init(_ start: Int, _ end: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
    }
}

/// Text as one stage of the pipeline finds it: well-formed UTF-8, and for every byte where it came
/// from.
///
/// Without `alignment` the text has the original's bytes, or ASCII characters in place of ASCII
/// characters: byte `i` then belongs to the original's character at `i`. Valid until the next stage
/// has run.
struct TextView {
    let base: UnsafePointer<UInt8>
    let count: Int
    let alignment: UnsafePointer<Alignment>?

    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }

    @inline(__always)
    subscript(position: Int) -> UInt8 {
        assert(position >= 0 && position < count)
        return base[position]
    }

    /// Where the byte at a position came from.
    @inline(__always)
    func alignment(at position: Int) -> Alignment {
        assert(position >= 0 && position < count)
        if let alignment { return alignment[position] }
        if base[position] < 0x80 { return Alignment(position, position + 1) }
        return identity(at: position)
    }

    /// The original bytes that a range of this text stands for. An empty range stands for nothing:
    /// it is returned as it is.
    @inline(__always)
    func original(_ start: Int, _ end: Int) -> Alignment {
        guard start < end else { return Alignment(start, end) }
        if let alignment {
            var range = alignment[start]
            range.end = alignment[end - 1].end
            return range
        }
        var range = alignment(at: start)
        range.end = alignment(at: end - 1).end
        return range
    }

    /// The character at a position, which is its first byte. The text is known to be well-formed.
    @inline(__always)
    func scalar(at position: Int) -> (value: UInt32, length: Int) {
        let lead = UInt32(self[position])
        if lead < 0x80 { return (lead, 1) }
        if lead < 0xE0 { return ((lead & 0x1F) << 6 | tail(position + 1), 2) }
        if lead < 0xF0 { return ((lead & 0x0F) << 12 | tail(position + 1) << 6 | tail(position + 2), 3) }
        return (
            (lead & 0x07) << 18 | tail(position + 1) << 12 | tail(position + 2) << 6 | tail(position + 3), 4
        )
    }

    /// The position of the character that ends before `position`.
    func positionBefore(_ position: Int) -> Int {
        var start = position - 1
        while start > 0, base[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }

    @inline(__always)
    private func tail(_ position: Int) -> UInt32 { UInt32(self[position]) & 0x3F }

    private func identity(at position: Int) -> Alignment {
        var start = position
        while start > 0, base[start] & 0xC0 == 0x80 { start -= 1 }
        return Alignment(start, start + scalar(at: start).length)
    }
}
