import Glibc
import GraftTensor

/// A token that may come, with its share: not yet divided by the sum of all.
struct Candidate {
    let token: Int32
    var share: Double
}

/// The tokens among which a row's next one is drawn: those that temperature, top-k, top-p (Holtzman
/// et al. 2020), min-p (Nguyen et al. 2024) and typical sampling (Meister et al. 2022) leave, each
/// of what the ones before it left, as in transformers.
struct Candidates {
    private(set) var all: [Candidate] = []

    var total: Double { all.reduce(0) { $0 + $1.share } }

    /// - Parameter largest: Of the logits, which is finite.
    init(_ logits: Logits, largest: Float, _ options: GenerationOptions) {
        let topK = options.topK > 0 && options.topK < logits.count
        let last = topK ? logits.places(ofLargest: options.topK).last : nil
        let least = max(last.map { logits[$0] } ?? -.infinity, -Float.greatestFiniteMagnitude)
        logits.visit(reaching: least) { token in
            let share = exp((Double(logits[token]) - Double(largest)) / Double(options.temperature))
            all.append(Candidate(token: Int32(token), share: share))
            return least
        }
        if options.topP < 1 { keepLikeliest(Double(options.topP)) }
        // The likeliest token is always left, and its share is 1.
        if options.minP > 0 { all.removeAll { $0.share < Double(options.minP) } }
        if options.typicalP < 1 { keepTypical(Double(options.typicalP)) }
    }

    /// The likeliest that together have a probability, and at least one.
    private mutating func keepLikeliest(_ probability: Double) {
        let total = total
        // Tokens below this have together less than what is left out: the rest, often a few, is
        // sorted.
        let least = (1 - probability) * total / Double(all.count) / 2
        all.removeAll { $0.share < least }
        all.sort { $0.share != $1.share ? $0.share > $1.share : $0.token < $1.token }
        var before = 0.0
        let count = all.firstIndex { candidate in
            defer { before += candidate.share }
            return before >= probability * total
        }
        if let count { all.removeLast(all.count - count) }
    }

    /// Those whose information -log p is nearest to its mean, the entropy, until they have together
    /// a probability.
    private mutating func keepTypical(_ probability: Double) {
        let total = total
        var entropy = 0.0
        for candidate in all where candidate.share > 0 {
            entropy -= candidate.share / total * log(candidate.share / total)
        }
        func distance(_ candidate: Candidate) -> Double { abs(-log(candidate.share / total) - entropy) }
        all.sort {
            let (one, other) = (distance($0), distance($1))
            return one != other ? one < other : $0.token < $1.token
        }
        var sum = 0.0
        let last = all.first { candidate in
            sum += candidate.share
            return sum >= probability * total
        }
        if let last {
            let farthest = distance(last)
            all.removeAll { distance($0) > farthest }
        }
    }
}
