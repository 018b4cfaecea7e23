import GraftTokenizers

/// The bytes of the characters of a set: each sequence is a range for the first byte, one for the
/// second, and so on.
enum UTF8Sequences {
    static func of(_ set: ScalarSet) -> [[ClosedRange<UInt8>]] {
        let characters = set.subtracting(ScalarSet(0xD800...0xDFFF))
        var sequences: [[ClosedRange<UInt8>]] = []
        for index in stride(from: 0, to: characters.edges.count, by: 2) {
            append(characters.edges[index]...characters.edges[index + 1] - 1, to: &sequences)
        }
        return sequences
    }

    /// Divides a range until what is left has bytes that go through their ranges independently.
    private static func append(_ range: ClosedRange<UInt32>, to sequences: inout [[ClosedRange<UInt8>]]) {
        var open = [range]
        while let range = open.popLast() {
            if let last = end(ofPartOf: range) {
                open.append(last + 1...range.upperBound)
                open.append(range.lowerBound...last)
            } else {
                sequences.append(zip(bytes(range.lowerBound), bytes(range.upperBound)).map { $0...$1 })
            }
        }
    }

    /// Where a first part of the range ends that goes by itself; nil where it need not be divided.
    private static func end(ofPartOf range: ClosedRange<UInt32>) -> UInt32? {
        for last: UInt32 in [0x7F, 0x7FF, 0xFFFF] where range.contains(last) && last < range.upperBound { return last }
        for shift: UInt32 in [6, 12, 18] where range.lowerBound > 0x7F {
            let low: UInt32 = 1 << shift - 1
            guard range.lowerBound >> shift != range.upperBound >> shift else { continue }
            if range.lowerBound & low != 0 { return range.lowerBound | low }
            if range.upperBound & low != low { return range.upperBound & ~low - 1 }
        }
        return nil
    }

    private static func bytes(_ value: UInt32) -> [UInt8] {
        Unicode.Scalar(value).map { Array(String($0).utf8) } ?? []
    }
}
