/// Places of numbers, none of which is NaN, in ascending order, equals in the order of their
/// places: O(n), by the bits of the numbers (least significant digit first).
func ascendingOrder(count: Int, _ number: (Int) -> Double) -> [Int32] {
    // Unsigned numbers in the same order; 0 and -0 are one.
    var keys = (0..<count).map { place in
        let bits = (number(place) + 0).bitPattern
        return bits >> 63 == 1 ? ~bits : bits | 1 << 63
    }
    var order = Array(0..<Int32(count))
    if count < 256 {
        order.sort { keys[Int($0)] != keys[Int($1)] ? keys[Int($0)] < keys[Int($1)] : $0 < $1 }
        return order
    }
    let (digitBits, digitCount) = (11, 6)
    let mask = UInt64(1) << digitBits - 1
    var (otherKeys, otherOrder) = (keys, order)
    for digit in 0..<digitCount {
        let shift = UInt64(digit * digitBits)
        var starts = Array(repeating: 0, count: 1 << digitBits)
        for key in keys { starts[Int(key >> shift & mask)] += 1 }
        if starts.contains(count) { continue }
        var next = 0
        for bin in starts.indices { (starts[bin], next) = (next, next + starts[bin]) }
        for place in keys.indices {
            let bin = Int(keys[place] >> shift & mask)
            otherKeys[starts[bin]] = keys[place]
            otherOrder[starts[bin]] = order[place]
            starts[bin] += 1
        }
        swap(&keys, &otherKeys)
        swap(&order, &otherOrder)
    }
    return order
}
