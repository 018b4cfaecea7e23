/// Which tokens stand for parts of a text.
enum AssistantMask {
    /// Those that begin within a place; places stand in the order of the text.
    static func within(_ places: [Range<Int>], _ encoding: Encoding) -> [Bool] {
        var mask = [Bool](repeating: false, count: encoding.count)
        var next = 0
        for (index, offsets) in encoding.offsets.enumerated() {
            while next < places.count, places[next].upperBound <= offsets.start { next += 1 }
            if next < places.count, places[next].contains(Int(offsets.start)) { mask[index] = true }
        }
        return mask
    }

    /// As transformers finds them.
    ///
    /// - Parameter places: in bytes of the text.
    static func tokens(of encoding: Encoding, in text: [UInt8], _ places: [Range<Int>]) -> [Bool] {
        var mask = [Bool](repeating: false, count: encoding.count)
        for place in places where !place.isEmpty {
            // A part that begins where no token stands ends the search, and one that ends so goes
            // on to the end of the text.
            guard let first = token(at: place.lowerBound, encoding) else { break }
            var last = place.upperBound - 1
            while last > place.lowerBound, last < text.count, text[last] & 0xC0 == 0x80 { last -= 1 }
            let end = token(at: last, encoding).flatMap { $0 > 0 ? $0 + 1 : nil } ?? encoding.count
            for index in first..<max(first, end) { mask[index] = true }
        }
        return mask
    }

    /// The first token that a byte is of. Tokens stand in the order of the text.
    private static func token(at byte: Int, _ encoding: Encoding) -> Int? {
        var (low, high) = (0, encoding.count)
        while low < high {
            let middle = (low + high) / 2
            if Int(encoding.offsets[middle].end) <= byte { low = middle + 1 } else { high = middle }
        }
        guard low < encoding.count, encoding.offsets[low].start <= byte else { return nil }
        return low
    }
}
