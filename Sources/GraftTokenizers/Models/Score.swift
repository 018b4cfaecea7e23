import GraftFormats
import GraftTensor

extension JSONReader {
    /// The score of a token, read as Hugging Face `tokenizers` reads numbers: the digits as far as
    /// they fit 64 bits, and a product or quotient with a power of ten, both rounded.
    ///
    /// The result may be a unit in the last place beside the nearest number. Where two ways to cut
    /// a word are equally likely, that unit decides between them, there and here.
    mutating func readScore() throws(GraftError) -> Double {
        let spelling = try readNumberBytes()
        let score = Self.score(spelling)
        guard score.isFinite else {
            throw error("\(JSON.number(String(decoding: spelling, as: UTF8.self)).kind) is out of range")
        }
        return score
    }

    /// - Parameter spelling: a number of JSON.
    private static func score(_ spelling: UnsafeRawBufferPointer) -> Double {
        var digits: UInt64 = 0
        var exponent = 0
        var (isFull, isFraction) = (false, false)
        for (index, byte) in spelling.enumerated() {
            switch byte {
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "0")...UInt8(ascii: "9") where !isFull && digits < UInt64.max / 10:
                digits = digits &* 10 &+ UInt64(byte - UInt8(ascii: "0"))
                if isFraction { exponent -= 1 }
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let (tens, isMore) = digits.multipliedReportingOverflow(by: 10)
                let (sum, isMoreYet) = tens.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
                isFull = isFull || isMore || isMoreYet
                if !isFull { digits = sum }
                // A further digit of the integer is a power of ten, one of the fraction nothing.
                if isFull != isFraction { exponent += isFraction ? -1 : 1 }
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                let text = String(decoding: spelling[(index + 1)...], as: UTF8.self)
                // What is beyond an Int is beyond a Double.
                let written = Int(text) ?? (text.hasPrefix("-") ? -100_000 : 100_000)
                exponent += min(max(written, -100_000), 100_000)
                return scaled(digits, exponent, isNegative: spelling.first == UInt8(ascii: "-"))
            default: break
            }
        }
        return scaled(digits, exponent, isNegative: spelling.first == UInt8(ascii: "-"))
    }

    private static func scaled(_ digits: UInt64, _ exponent: Int, isNegative: Bool) -> Double {
        var value = Double(digits)
        var exponent = exponent
        while exponent < -308, value != 0 {
            value /= 1e308
            exponent += 308
        }
        if value != 0, exponent < 0 { value /= powerOfTen(-exponent) }
        if value != 0, exponent > 0 { value *= powerOfTen(exponent) }
        return isNegative ? -value : value
    }

    private static func powerOfTen(_ exponent: Int) -> Double {
        exponent < powers.count ? powers[exponent] : .infinity
    }

    /// All that are finite, each the nearest number.
    private static let powers: [Double] = (0...308).map { Double("1e\($0)") ?? .infinity }
}
