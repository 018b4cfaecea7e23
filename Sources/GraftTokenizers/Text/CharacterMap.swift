import GraftTensor

/// SentencePiece's `precompiled_charsmap`: what becomes of characters and short sequences of them.
///
/// It is the length of a table in four bytes, the table, and texts that end with NUL. The table is
/// a double array (Aoe 1989, as Darts-clone packs it): from a unit a byte leads to the unit at its
/// offset, exclusive or with the byte, if that unit has the byte as its label; a unit with a leaf
/// has the place of a text at its offset.
struct CharacterMap: Sendable {
    private let units: [UInt32]
    /// Well-formed UTF-8.
    private let texts: [UInt8]
    /// Whether the map has anything that begins with a byte.
    private let isFirst: [Bool]

    /// Nil where the bytes are no such map.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 4 else { return nil }
        let tableCount = bytes.withUnsafeBytes { Int(UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self))) } / 4
        guard tableCount > 0, tableCount <= (bytes.count - 4) / 4 else { return nil }
        units = bytes.withUnsafeBytes { bytes in
            (1...tableCount).map { UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)) }
        }
        texts = Array(bytes[(4 + 4 * tableCount)...])
        guard texts.withUnsafeBufferPointer({ UTF8Validation.firstInvalid($0) }) == nil else { return nil }
        let units = units
        isFirst = (0...255).map { byte in
            let place = Self.offset(units[0]) ^ byte
            return place >= units.count || units[place] & 0x8000_00FF == UInt32(byte)
        }
    }

    /// What stands in place of a text: of the shortest of its beginnings that the map has. Nil
    /// where it has none.
    func replacement(of text: UnsafeBufferPointer<UInt8>) throws(GraftError) -> ArraySlice<UInt8>? {
        var place = Self.offset(units[0])
        for byte in text where byte != 0 {
            place ^= Int(byte)
            guard place < units.count else { throw Self.damage }
            let unit = units[place]
            // The label of a leaf's text is beyond all bytes.
            guard unit & 0x8000_00FF == UInt32(byte) else { return nil }
            place ^= Self.offset(unit)
            guard unit & 0x100 != 0 else { continue }
            guard place < units.count else { throw Self.damage }
            return try self.text(at: Int(units[place] & 0x7FFF_FFFF))
        }
        return nil
    }

    /// Whether what begins with a byte may be replaced.
    @inline(__always)
    func beginsSequence(_ byte: UInt8) -> Bool { isFirst[Int(byte)] }

    /// What stands in place of the longest beginning of a part of a text that the map has, whole
    /// characters, and how many bytes that has. Nil where it has none.
    ///
    /// - Parameter text: well-formed UTF-8, of which a character begins at `start`.
    func longestReplacement(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ limit: Int
    ) throws(GraftError) -> (length: Int, replacement: ArraySlice<UInt8>)? {
        var longest: (end: Int, text: Int)?
        var place = Self.offset(units[0])
        var position = start
        while position < limit {
            place ^= Int(text[position])
            guard place < units.count else { throw Self.damage }
            let unit = units[place]
            guard unit & 0x8000_00FF == UInt32(text[position]) else { break }
            position += 1
            place ^= Self.offset(unit)
            guard unit & 0x100 != 0 else { continue }
            guard place < units.count else { throw Self.damage }
            longest = (position, Int(units[place] & 0x7FFF_FFFF))
        }
        guard let longest else { return nil }
        guard longest.end == limit || text[longest.end] & 0xC0 != 0x80 else { throw Self.damage }
        return (longest.end - start, try self.text(at: longest.text))
    }

    private func text(at start: Int) throws(GraftError) -> ArraySlice<UInt8> {
        guard start <= texts.count, start == texts.count || texts[start] & 0xC0 != 0x80 else { throw Self.damage }
        return texts[start...].prefix { $0 != 0 }
    }

    private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 0x200) >> 6) }

    private static let damage = GraftError(
        .corruptFile, "the normalizer's precompiled_charsmap is damaged: it points beyond its end")
}
