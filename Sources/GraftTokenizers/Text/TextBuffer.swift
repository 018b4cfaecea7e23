import GraftTensor

/// Text that a stage writes: bytes, and where each came from.
///
/// It starts without alignment, which holds as long as what is written stands at the original's
/// positions (see `TextView`); whatever shifts the text calls `beginAlignment` first.
struct TextBuffer: ~Copyable {
    var bytes = Buffer<UInt8>(capacity: 512)
    private(set) var alignment = Buffer<Alignment>(capacity: 512)
    private(set) var isAligned = false

    var count: Int { bytes.count }

    var view: TextView {
        TextView(
            base: UnsafePointer(bytes.base), count: bytes.count,
            alignment: isAligned ? UnsafePointer(alignment.base) : nil)
    }

    mutating func removeAll() {
        bytes.count = 0
        alignment.count = 0
        isAligned = false
    }

    mutating func releaseIfLarger(than limit: Int) {
        bytes.releaseIfLarger(than: limit)
        alignment.releaseIfLarger(than: limit)
    }

    /// From here on every byte has an alignment of its own; the bytes so far get that of their
    /// positions.
    mutating func beginAlignment() {
        guard !isAligned else { return }
        let soFar = view
        alignment.reserve(bytes.capacity)
        for position in 0..<soFar.count { alignment.appendReserved(soFar.alignment(at: position)) }
        isAligned = true
    }

    /// Takes back what was written after `count` bytes.
    mutating func truncate(to count: Int) {
        bytes.count = count
        if isAligned { alignment.count = count }
    }

    @inline(__always)
    mutating func reserve(_ extra: Int) {
        bytes.reserve(extra)
        if isAligned { alignment.reserve(extra) }
    }

    /// Makes room for bytes that a file's setting, not the text, decides the number of: an error
    /// where there is none.
    mutating func requireRoom(for extra: Int) throws(GraftError) {
        guard bytes.capacity - bytes.count < extra else { return }
        let (total, isMore) = count.addingReportingOverflow(extra)
        guard !isMore, total <= WorkingText.maximumCount else { throw WorkingText.tooLong(isMore ? .max : total) }
        try Memory.require(2 * total * (1 + MemoryLayout<Alignment>.stride), to: "rewriting a text")
        reserve(extra)
    }

    /// Writes a byte that stands for something else than the original's byte at its position.
    @inline(__always)
    mutating func append(_ byte: UInt8, _ origin: Alignment) {
        assert(isAligned)
        bytes.append(byte)
        alignment.append(origin)
    }

    mutating func append(_ scalar: UInt32, _ origin: Alignment) {
        reserve(4)
        appendReserved(scalar, origin)
    }

    /// Writes a character as UTF-8, all bytes with one origin, where `reserve` has made room.
    @inline(__always)
    mutating func appendReserved(_ scalar: UInt32, _ origin: Alignment) {
        assert(isAligned)
        let length: Int
        let out = bytes.base + bytes.count
        if scalar < 0x80 {
            out[0] = UInt8(truncatingIfNeeded: scalar)
            length = 1
        } else if scalar < 0x800 {
            out[0] = UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6)
            out[1] = UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F)
            length = 2
        } else if scalar < 0x10000 {
            out[0] = UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12)
            out[1] = UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F)
            out[2] = UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F)
            length = 3
        } else {
            out[0] = UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18)
            out[1] = UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3F)
            out[2] = UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F)
            out[3] = UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F)
            length = 4
        }
        let origins = alignment.base + alignment.count
        for index in 0..<length { origins[index] = origin }
        bytes.count += length
        alignment.count += length
    }

    /// Copies a range of another text with its alignment.
    mutating func copy(_ source: TextView, _ start: Int, _ end: Int) {
        if !isAligned {
            if source.alignment == nil, bytes.count == start {
                bytes.append(source.base + start, count: end - start)
                return
            }
            beginAlignment()
        }
        reserve(end - start)
        bytes.append(source.base + start, count: end - start)
        if let origins = source.alignment {
            alignment.append(origins + start, count: end - start)
        } else {
            for position in start..<end { alignment.appendReserved(source.alignment(at: position)) }
        }
    }
}
