/// A text under way in SentencePiece's byte-pair encoding: parts in a chain, of which neighbours
/// are joined. A heap keeps what may be joined, so that a text of any length takes time n log n.
struct JoinedPieces: ~Copyable {
    struct Part: BitwiseCopyable {
        var start: Int32
        /// 0 for a part that was joined to the one before it.
        var length: Int32
        var previous: Int32
        var next: Int32
        var isFrozen: Bool
    }

    /// Two parts that make a piece, as long as neither has changed since.
    struct Candidate: BitwiseCopyable, Comparable {
        var score: Float
        var left: Int32
        var right: Int32
        var length: Int32

        /// The higher score comes first, and of equal ones what is further left.
        static func < (first: Candidate, second: Candidate) -> Bool {
            first.score > second.score || first.score == second.score && first.left < second.left
        }
    }

    private var parts = Buffer<Part>(capacity: 64)
    private var heap = Buffer<Candidate>(capacity: 64)

    var capacity: Int { parts.capacity }

    mutating func removeAll() {
        parts.count = 0
        heap.count = 0
    }

    /// Gives back what a long text took.
    mutating func release() {
        parts.releaseIfLarger(than: 1 << 16)
        heap.releaseIfLarger(than: 1 << 16)
    }

    mutating func append(_ start: Int, _ length: Int, isFrozen: Bool) {
        if parts.count > 0 { parts.base[parts.count - 1].next = Int32(parts.count) }
        parts.append(
            Part(
                start: Int32(truncatingIfNeeded: start), length: Int32(truncatingIfNeeded: length),
                previous: Int32(parts.count - 1), next: -1, isFrozen: isFrozen))
    }

    /// - Parameter score: of the piece with this start, length of its first part and whole length;
    ///   nil where it is no piece.
    mutating func joinAll(_ score: (_ start: Int, _ left: Int, _ length: Int) -> Float?) {
        for index in 1..<max(parts.count, 1) { offer(Int32(index - 1), Int32(index), score) }
        while let candidate = heap.popLeast() {
            let (left, right) = (parts[Int(candidate.left)], parts[Int(candidate.right)])
            guard left.length > 0, right.length > 0, left.length + right.length == candidate.length else { continue }
            parts.base[Int(candidate.left)].length = candidate.length
            parts.base[Int(candidate.left)].next = right.next
            if right.next >= 0 { parts.base[Int(right.next)].previous = candidate.left }
            parts.base[Int(candidate.right)].length = 0
            offer(left.previous, candidate.left, score)
            offer(candidate.left, right.next, score)
        }
    }

    /// Calls `body` with the start and the length of each part.
    func forEach(_ body: (Int, Int) -> Void) {
        for index in 0..<parts.count where parts[index].length > 0 {
            body(Int(parts[index].start), Int(parts[index].length))
        }
    }

    private mutating func offer(_ left: Int32, _ right: Int32, _ score: (Int, Int, Int) -> Float?) {
        guard left >= 0, right >= 0 else { return }
        let (first, second) = (parts[Int(left)], parts[Int(right)])
        guard !first.isFrozen, !second.isFrozen else { return }
        let length = first.length + second.length
        guard let score = score(Int(first.start), Int(first.length), Int(length)) else { return }
        heap.push(Candidate(score: score, left: left, right: right, length: length))
    }
}
