import GraftTensor

/// Python's `==`.
func equals(_ left: Value, _ right: Value) -> Bool {
    switch (left, right) {
    case (.string(let a), .string(let b)): return a == b
    case (.none, .none), (.undefined, .undefined): return true
    case (.integer(let a), .integer(let b)): return a == b
    case (.longInteger(let a), .longInteger(let b)): return a == b
    case (.elements(let a), .elements(let b)):
        if a === b { return true }
        guard a.kind == b.kind, a.values.count == b.values.count, a.kind != .generator, a.kind != .values else {
            return false
        }
        for (index, value) in a.values.enumerated() where !equals(value, b.values[index]) { return false }
        return true
    case (.dictionary(let a), .dictionary(let b)):
        if a === b { return true }
        guard a.members.count == b.members.count else { return false }
        for (key, value) in a.members {
            guard let other = b[key], equals(value, other) else { return false }
        }
        return true
    case (.namespace(let a), .namespace(let b)): return a === b
    case (.macro(let a), .macro(let b)): return a === b
    case (.loop(let a), .loop(let b)): return a === b
    case (.function(let a), .function(let b)): return a == b
    default:
        guard let a = left.number, let b = right.number else { return false }
        return a == b
    }
}

/// Whether one value is before another, as Python's `<` and `sorted` have it.
func precedes(_ left: Value, _ right: Value) throws(GraftError) -> Bool {
    switch (left, right) {
    case (.string(let a), .string(let b)): return a.lexicographicallyPrecedes(b)
    case (.integer(let a), .integer(let b)): return a < b
    case (.elements(let a), .elements(let b)) where a.kind == b.kind && (a.kind == .list || a.kind == .tuple):
        for (one, other) in zip(a.values, b.values) where !equals(one, other) { return try precedes(one, other) }
        return a.values.count < b.values.count
    default:
        guard let a = left.number, let b = right.number else {
            throw unexpected("\(left.kind) and \(right.kind) have no order")
        }
        return a < b
    }
}

/// In order, equal ones as they stood; with `reverse` the other way round.
func sorted(_ values: [Value], by keys: [Value], reverse: Bool) throws(GraftError) -> [Value] {
    var places = Array(values.indices)
    if reverse { places.reverse() }
    var width = 1
    while width < places.count {
        var merged: [Int] = []
        merged.reserveCapacity(places.count)
        for start in stride(from: 0, to: places.count, by: 2 * width) {
            let (middle, end) = (min(start + width, places.count), min(start + 2 * width, places.count))
            var (left, right) = (start, middle)
            while left < middle, right < end {
                let (one, other) = (keys[places[left]], keys[places[right]])
                if !equals(one, other), try precedes(other, one) {
                    merged.append(places[right])
                    right += 1
                } else {
                    merged.append(places[left])
                    left += 1
                }
            }
            merged += places[left..<middle]
            merged += places[right..<end]
        }
        places = merged
        width *= 2
    }
    if reverse { places.reverse() }
    return places.map { values[$0] }
}

extension Value {
    /// A number as Python compares it.
    var number: Double? {
        switch self {
        case .bool(let value): value ? 1 : 0
        case .integer(let value): Double(value)
        case .float(let value): value
        default: nil
        }
    }

    /// A whole number: booleans are.
    var whole: Int? {
        switch self {
        case .bool(let value): value ? 1 : 0
        case .integer(let value): value
        default: nil
        }
    }
}
