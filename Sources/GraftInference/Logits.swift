import CGraftKernels
import GraftTensor

/// A number for each token of the vocabulary, of a row's next token.
typealias Logits = UnsafeMutableBufferPointer<Float>

/// A row of logits, or of log-probabilities, as it was read for a text.
struct ReadLogits {
    let numbers: Logits
    /// log Σ exp(logits), where it was read.
    let logSum: Double
}

extension Logits {
    /// Numbers of a walk's first block, and of its largest.
    private static let blockSizes = 64...1024

    /// The place of the largest, the first of equals; nil where one is not a number, or there is
    /// none.
    var largest: Int? {
        guard let baseAddress, count > 0 else { return nil }
        let place = gk_largest(Int64(count), baseAddress)
        return place < 0 ? nil : Int(place)
    }

    /// Calls `body` with the place of each number that reaches `least`, in order; what it returns
    /// is what the next ones have to reach, a block of numbers later at most. Blocks begin small,
    /// as that rises fastest at first. None is NaN.
    func visit(reaching least: Float, _ body: (Int) -> Float) {
        guard let baseAddress else { return }
        var least = least
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: Self.blockSizes.upperBound) { places in
            guard let found = places.baseAddress else { return }
            var (block, size) = (0, Self.blockSizes.lowerBound)
            while block < count {
                let own = Swift.min(size, count - block)
                let reaching = Int(gk_reaching(Int64(own), baseAddress + block, least, found))
                for place in places[..<reaching] { least = body(block + Int(place)) }
                block += own
                size = Swift.min(2 * size, Self.blockSizes.upperBound)
            }
        }
    }

    /// The places of the `count` largest that reach `least`, the largest first, and of equals the
    /// first ones. None is NaN.
    func places(ofLargest count: Int, reaching least: Float = -.infinity) -> [Int] {
        // A heap: the last of those found so far is at 0; the children of i are at 2i + 1 and
        // 2i + 2.
        var heap: [Int] = []
        heap.reserveCapacity(count)
        func isBefore(_ one: Int, _ other: Int) -> Bool {
            self[one] != self[other] ? self[one] > self[other] : one < other
        }
        func sink(from start: Int) {
            var parent = start
            while true {
                var last = parent
                for child in [2 * parent + 1, 2 * parent + 2]
                where child < heap.count && isBefore(heap[last], heap[child]) {
                    last = child
                }
                if last == parent { return }
                heap.swapAt(parent, last)
                parent = last
            }
        }
        visit(reaching: least) { place in
            if heap.count < count {
                heap.append(place)
                guard heap.count == count else { return least }
                for parent in (0..<count / 2).reversed() { sink(from: parent) }
            } else if let last = heap.first, self[place] > self[last] {
                heap[0] = place
                sink(from: 0)
            }
            return heap.first.map { self[$0] } ?? .infinity
        }
        return heap.sorted(by: isBefore)
    }
}
