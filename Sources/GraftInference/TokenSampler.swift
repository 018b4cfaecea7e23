import Glibc
import GraftTensor

/// Chooses one row's next token from its logits: repetition penalty (Keskar et al. 2019),
/// temperature, top-k, top-p (Holtzman et al. 2020), in this order, as transformers does.
///
/// What it chooses depends on the seed, the prompt and the logits alone.
struct TokenSampler {
    /// A token that may come, with its share: not yet divided by the sum of all.
    struct Candidate {
        let token: Int32
        let share: Double
    }

    private let options: GenerationOptions
    private var random: RandomNumbers
    private var seen: Set<Int32>

    init(_ options: GenerationOptions, seed: UInt64, prompt: some Collection<Int32>) {
        self.options = options
        // Rows with other prompts draw other numbers.
        var hash: UInt64 = 0
        for token in prompt { hash = (hash ^ UInt64(UInt32(bitPattern: token))) &* 0x9e37_79b9_7f4a_7c15 &+ 1 }
        random = RandomNumbers(seed: seed, stream: "tokens after \(hash)")
        seen = options.repetitionPenalty == 1 ? [] : Set(prompt)
    }

    /// Chooses, and remembers the choice. Changes the logits.
    mutating func next(_ logits: UnsafeMutableBufferPointer<Float>) throws(GraftError) -> Int32 {
        penalize(logits)
        let best = try Self.largest(logits)
        var token = Int32(best)
        if options.temperature > 0 {
            let candidates = candidates(logits, largest: logits[best])
            let total = candidates.reduce(0) { $0 + $1.share }
            var left = Double(random.next() >> 11) * 0x1p-53 * total
            for candidate in candidates {
                token = candidate.token
                left -= candidate.share
                if left < 0 { break }
            }
        }
        if options.repetitionPenalty != 1 { seen.insert(token) }
        return token
    }

    /// Logits of tokens that the row has move away from being chosen, or with a penalty below 1
    /// towards it.
    func penalize(_ logits: UnsafeMutableBufferPointer<Float>) {
        for token in seen where logits.indices.contains(Int(token)) {
            let logit = logits[Int(token)]
            logits[Int(token)] = logit < 0 ? logit * options.repetitionPenalty : logit / options.repetitionPenalty
        }
    }

    /// The place of the largest logit, the first of equals.
    static func largest(_ logits: UnsafeMutableBufferPointer<Float>) throws(GraftError) -> Int {
        var best = 0
        var isNumber = true
        for index in logits.indices {
            if logits[index] > logits[best] { best = index }
            isNumber = isNumber && !logits[index].isNaN
        }
        guard isNumber, logits[best].isFinite else {
            throw GraftError(.diverged, "the logits are not finite numbers: an adapter or the model is broken")
        }
        return best
    }

    /// The tokens that temperature, top-k and top-p leave.
    func candidates(_ logits: UnsafeMutableBufferPointer<Float>, largest: Float) -> [Candidate] {
        let threshold =
            options.topK > 0 && options.topK < logits.count ? Self.value(ofRank: options.topK, logits) : -.infinity
        var candidates: [Candidate] = []
        var total = 0.0
        for (token, logit) in logits.enumerated() where logit >= threshold {
            let share = exp((Double(logit) - Double(largest)) / Double(options.temperature))
            total += share
            candidates.append(Candidate(token: Int32(token), share: share))
        }
        guard options.topP < 1 else { return candidates }
        // Tokens below this have together less than what top-p leaves out: the rest, often a few,
        // is sorted.
        let least = (1 - Double(options.topP)) * total / Double(candidates.count) / 2
        candidates.removeAll { $0.share < least }
        candidates.sort { $0.share != $1.share ? $0.share > $1.share : $0.token < $1.token }
        var before = 0.0
        let count = candidates.firstIndex { candidate in
            defer { before += candidate.share }
            return before >= Double(options.topP) * total
        }
        return Array(candidates[..<(count ?? candidates.count)])
    }

    /// The `rank`-th largest logit, by a heap of so many.
    private static func value(ofRank rank: Int, _ logits: UnsafeMutableBufferPointer<Float>) -> Float {
        // The smallest of the heap is at 0; the children of i are at 2i + 1 and 2i + 2.
        var heap = Array(logits[..<rank])
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
        for logit in logits[rank...] where logit > heap[0] {
            heap[0] = logit
            sink(from: 0)
        }
        return heap[0]
    }
}
