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
    private static let blockSize = 1024

    /// The place of the largest, the first of equals; nil where one is not a number, or there is
    /// none.
    var largest: Int? {
        guard let baseAddress, count > 0 else { return nil }
        let place = gk_largest(Int64(count), baseAddress)
        return place < 0 ? nil : Int(place)
    }

    /// Calls `body` with the place of each number from `first` on that reaches `least`, in order;
    /// what it returns is what the next ones have to reach, a block of numbers later at most. None
    /// is NaN.
    func visit(from first: Int = 0, reaching least: Float, _ body: (Int) -> Float) {
        guard let baseAddress else { return }
        var least = least
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: Self.blockSize) { places in
            guard let found = places.baseAddress else { return }
            for block in stride(from: first, to: count, by: Self.blockSize) {
                let size = Int64(Swift.min(Self.blockSize, count - block))
                let reaching = Int(gk_reaching(size, baseAddress + block, least, found))
                for place in places[..<reaching] { least = body(block + Int(place)) }
            }
        }
    }

    /// The `rank`-th largest, by a heap of so many.
    func value(ofRank rank: Int) -> Float {
        // The smallest of the heap is at 0; the children of i are at 2i + 1 and 2i + 2.
        var heap = Array(self[..<rank])
        func sink(from start: Int) {
            var parent = start
            while true {
                var smallest = parent
                for child in [2 * parent + 1, 2 * parent + 2] where child < rank && heap[child] < heap[smallest] {
                    smallest = child
                }
                if smallest == parent { return }
                heap.swapAt(parent, smallest)
                parent = smallest
            }
        }
        for parent in (0..<rank / 2).reversed() { sink(from: parent) }
        visit(from: rank, reaching: heap[0]) { place in
            if self[place] > heap[0] {
                heap[0] = self[place]
                sink(from: 0)
            }
            return heap[0]
        }
        return heap[0]
    }
}
