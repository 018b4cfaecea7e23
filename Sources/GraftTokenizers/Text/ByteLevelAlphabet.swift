/// GPT-2's spelling of bytes as printable characters: `!`–`~`, `¡`–`¬` and `®`–`ÿ` stand for
/// themselves, all other bytes, in order, for the characters from U+0100 on.
enum ByteLevelAlphabet {
    /// The character for each byte.
    static let scalars: [UInt32] = {
        var next: UInt32 = 0x100
        return (UInt32(0)..<256).map { byte in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return byte
            default:
                next += 1
                return next - 1
            }
        }
    }()

    /// The byte for each character below U+0200; -1 for a character that stands for none.
    static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 0x200)
        for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar)] = Int16(byte) }
        return bytes
    }()

    /// Spells a range of text.
    static func spell(_ source: TextView, _ range: Range<Int>, into out: inout TextBuffer) {
        out.beginAlignment()
        out.reserve(range.count * 2)
        scalars.withUnsafeBufferPointer { scalars in
            for position in range {
                out.appendReserved(scalars[Int(source[position])], source.alignment(at: position))
            }
        }
    }
}
