import GraftTokenizers

/// Decimal spellings of the integers of a range, as alternatives of digits: those of each length,
/// divided where a digit is that of an end.
enum IntegerRange {
    /// Integers have at most so many digits: all are of 64 bits.
    static let mostDigits = 18
    private static let largest = 999_999_999_999_999_999

    /// - Parameters:
    ///   - low: nil for no limit.
    ///   - high: nil for no limit.
    static func pattern(_ low: Int?, _ high: Int?) -> TextPattern {
        let (low, high) = (max(low ?? -largest, -largest), min(high ?? largest, largest))
        var all: [TextPattern] = []
        if low < 0 { all.append(.sequence([.text("-"), spellings(max(1, -min(high, 0)), -low)])) }
        if high >= 0 { all.append(spellings(max(0, low), high)) }
        return .choice(all)
    }

    /// Of numbers that are not below 0.
    private static func spellings(_ low: Int, _ high: Int) -> TextPattern {
        var all: [TextPattern] = []
        var (first, last) = (0, 9)
        while first <= high, first <= largest {
            let (from, to) = (max(low, first), min(high, last))
            if from <= to { all.append(digits(Array(String(from).utf8)[...], Array(String(to).utf8)[...])) }
            (first, last) = (last + 1, last < largest ? 10 * last + 9 : last)
        }
        return .choice(all)
    }

    /// Those of one length from one to another.
    private static func digits(_ low: ArraySlice<UInt8>, _ high: ArraySlice<UInt8>) -> TextPattern {
        guard let first = low.first, let last = high.first else { return .bytes([]) }
        let (zero, nine) = (UInt8(ascii: "0"), UInt8(ascii: "9"))
        func one(_ from: UInt8, _ to: UInt8, _ behind: TextPattern) -> TextPattern {
            .sequence([.characters(ScalarSet(UInt32(from)...UInt32(to))), behind])
        }
        let (lowRest, highRest) = (low.dropFirst(), high.dropFirst())
        if first == last { return one(first, first, digits(lowRest, highRest)) }
        let (zeros, nines) = (lowRest.map { _ in zero }, lowRest.map { _ in nine })
        // Whole tens need no division.
        let (cutsLow, cutsHigh) = (!lowRest.elementsEqual(zeros), !highRest.elementsEqual(nines))
        var all: [TextPattern] = []
        if cutsLow { all.append(one(first, first, digits(lowRest, nines[...]))) }
        let (from, to) = (cutsLow ? first + 1 : first, cutsHigh ? last - 1 : last)
        if from <= to { all.append(one(from, to, .sequence(zeros.map { _ in .characters(ExpressionParser.digits) }))) }
        if cutsHigh { all.append(one(last, last, digits(zeros[...], highRest))) }
        return .choice(all)
    }
}
