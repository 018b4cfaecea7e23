/// Base64 of RFC 4648 with its padding, and nothing beside it.
enum Base64 {
    /// The bytes that a text stands for; nil where it is not Base64.
    static func decoded(_ text: String) -> [UInt8]? {
        var text = text
        return text.withUTF8 { digits in
            guard digits.count % 4 == 0 else { return nil }
            let padding = digits.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
            var bytes: [UInt8] = []
            bytes.reserveCapacity(digits.count / 4 * 3)
            var (bits, count): (UInt32, Int) = (0, 0)
            for digit in digits.dropLast(padding) {
                guard let value = value(of: digit) else { return nil }
                bits = bits << 6 | value
                count += 6
                if count >= 8 {
                    count -= 8
                    bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
                }
            }
            // What is left of the last digit is zero.
            return bits & (1 << UInt32(count) - 1) == 0 ? bytes : nil
        }
    }

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
