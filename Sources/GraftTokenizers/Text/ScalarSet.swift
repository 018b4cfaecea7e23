/// A set of Unicode scalars, kept as the scalars at which it begins and ends in turn.
package struct ScalarSet: Hashable, Sendable {
    /// Ascending: the set holds what is from one with an even index on and before the next.
    package private(set) var edges: [UInt32]

    package static let end: UInt32 = 0x110000
    package static let all = ScalarSet(edges: [0, end])
    package static let none = ScalarSet(edges: [])

    /// - Parameter edges: ascending.
    package init(edges: [UInt32]) {
        self.edges = edges
    }

    package init(_ values: UInt32...) {
        self = values.reduce(.none) { $0.union(ScalarSet(edges: [$1, $1 + 1])) }
    }

    package init(_ range: ClosedRange<UInt32>) {
        edges = [range.lowerBound, range.upperBound + 1]
    }

    package func contains(_ value: UInt32) -> Bool { Self.count(of: edges, upTo: value) % 2 == 1 }

    package var inverted: ScalarSet { combined(with: .all) { $0 != $1 } }

    package func union(_ other: ScalarSet) -> ScalarSet { combined(with: other) { $0 || $1 } }

    package func intersection(_ other: ScalarSet) -> ScalarSet { combined(with: other) { $0 && $1 } }

    package func subtracting(_ other: ScalarSet) -> ScalarSet { combined(with: other) { $0 && !$1 } }

    /// What `belongs` says of every scalar, by whether it is in the one set and in the other.
    private func combined(with other: ScalarSet, _ belongs: (Bool, Bool) -> Bool) -> ScalarSet {
        var result: [UInt32] = []
        result.reserveCapacity(edges.count + other.edges.count)
        var (left, right) = (0, 0)
        while left < edges.count || right < other.edges.count {
            let next = min(
                left < edges.count ? edges[left] : Self.end, right < other.edges.count ? other.edges[right] : Self.end)
            if left < edges.count, edges[left] == next { left += 1 }
            if right < other.edges.count, other.edges[right] == next { right += 1 }
            if belongs(left % 2 == 1, right % 2 == 1) != (result.count % 2 == 1) { result.append(next) }
        }
        return ScalarSet(edges: result)
    }

    /// How many of ascending numbers are not above a value.
    static func count(of numbers: [UInt32], upTo value: UInt32) -> Int {
        var (low, high) = (0, numbers.count)
        while low < high {
            let middle = (low + high) / 2
            if numbers[middle] <= value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
