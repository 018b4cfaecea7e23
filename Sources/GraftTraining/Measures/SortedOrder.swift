/// Places of numbers, none of which is NaN, in ascending order, equals in the order of their
/// places: by the upper 33 bits of the numbers (least significant digit first) in O(n), then what
/// these leave equal by comparison.
func ascendingOrder(count: Int, _ number: (Int) -> Double) -> [Int32] {
    // Unsigned numbers in the same order; 0 and -0 are one.
    let entries = (0..<count).map { place in
        let bits = (number(place) + 0).bitPattern
        return SortedEntry(key: bits >> 63 == 1 ? ~bits : bits | 1 << 63, place: Int32(place))
    }
    return sorted(entries).map(\.place)
}

private struct SortedEntry: BitwiseCopyable {
    var key: UInt64
    var place: Int32
}

private func sorted(_ entries: [SortedEntry]) -> [SortedEntry] {
    var entries = entries
    if entries.count < 256 {
        sort(&entries, entries.indices)
        return entries
    }
    let (digitBits, digitCount) = (11, 3)
    let (mask, lowest) = (UInt64(1) << digitBits - 1, 64 - digitBits * digitCount)
    var other = entries
    for shift in stride(from: lowest, to: 64, by: digitBits) {
        var starts = Array(repeating: 0, count: 1 << digitBits)
        for entry in entries { starts[Int(entry.key >> shift & mask)] += 1 }
        if starts.contains(entries.count) { continue }
        var next = 0
        for bin in starts.indices { (starts[bin], next) = (next, next + starts[bin]) }
        for entry in entries {
            let bin = Int(entry.key >> shift & mask)
            other[starts[bin]] = entry
            starts[bin] += 1
        }
        swap(&entries, &other)
    }
    var start = 0
    while start < entries.count {
        let upper = entries[start].key >> lowest
        var (end, isSorted) = (start + 1, true)
        while end < entries.count, entries[end].key >> lowest == upper {
            isSorted = isSorted && entries[end - 1].key <= entries[end].key
            end += 1
        }
        if !isSorted { sort(&entries, start..<end) }
        start = end
    }
    return entries
}

/// By comparison; places are in order where keys are equal.
private func sort(_ entries: inout [SortedEntry], _ range: Range<Int>) {
    entries.withUnsafeMutableBufferPointer { buffer in
        buffer[range].sort { ($0.key, $0.place) < ($1.key, $1.place) }
    }
}
