import Glibc

/// Numbers as Python reads them from text.
enum PythonNumber {
    /// `int(text, base)`; nil where the text is none.
    static func integer(_ content: Bytes, base: Int) -> Int? {
        var digits = PythonText.stripped(content)
        var sign = Bytes()
        if let first = digits.first, first == ascii("-") || first == ascii("+") {
            sign = [first]
            digits.removeFirst()
        }
        var base = base
        if digits.count > 2, digits[0] == ascii("0"),
            let prefixed = [ascii("x"): 16, ascii("o"): 8, ascii("b"): 2][digits[1] | 0x20],
            base == 0 || base == prefixed
        {
            base = prefixed
            digits.removeFirst(2)
            if digits.first == ascii("_") { digits.removeFirst() }
        }
        guard let plain = withoutUnderscores(digits), let first = plain.first, first != ascii("-"), first != ascii("+")
        else { return nil }
        return Int(text(sign + plain), radix: base == 0 ? 10 : base)
    }

    /// `float(text)`; nil where the text is none.
    static func float(_ content: Bytes) -> Double? {
        guard let plain = withoutUnderscores(PythonText.stripped(content)) else { return nil }
        let lower = text(PythonText.cased(plain, .lower))
        switch lower {
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        case "nan", "+nan", "-nan": return .nan
        default: break
        }
        guard plain.allSatisfy({ 0x30...0x39 ~= $0 || utf8("+-.eE").contains($0) }) else { return nil }
        // Swift wants digits on both sides of the point.
        var spelled = Bytes()
        for (index, byte) in plain.enumerated() {
            let isPoint = byte == ascii(".")
            if isPoint, index == 0 || !(0x30...0x39 ~= plain[index - 1]) { spelled.append(ascii("0")) }
            spelled.append(byte)
            if isPoint, index + 1 == plain.count || !(0x30...0x39 ~= plain[index + 1]) { spelled.append(ascii("0")) }
        }
        guard plain.contains(where: { 0x30...0x39 ~= $0 }) else { return nil }
        return Double(text(spelled))
    }

    static func powerOfTen(_ exponent: Int) -> Double { pow(10, Double(exponent)) }

    /// Nil where one stands other than between digits.
    private static func withoutUnderscores(_ digits: Bytes) -> Bytes? {
        guard digits.contains(ascii("_")) else { return digits }
        for (index, byte) in digits.enumerated() where byte == ascii("_") {
            guard index > 0, index + 1 < digits.count, digits[index - 1] != ascii("_"), digits[index + 1] != ascii("_")
            else {
                return nil
            }
        }
        return digits.filter { $0 != ascii("_") }
    }
}
