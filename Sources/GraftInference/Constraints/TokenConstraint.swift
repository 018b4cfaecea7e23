import GraftTensor
import GraftTokenizers

/// Which tokens may come where, so that a text is one that a constraint allows: of each state of
/// its automaton the tokens whose bytes lead on, found by one walk through the tree of all tokens
/// and kept (Willard & Louf 2023).
///
/// A token may come exactly if it and others make a text that is allowed.
final class TokenConstraint {
    private let tokenizer: Tokenizer
    private let tree: TokenTree
    private var paths: TokenPaths
    /// By states: a bit for each token.
    private var masks: [Int32: [UInt64]] = [:]
    private let wordCount: Int
    /// Of the stop tokens in the latest step.
    private var ends: [Float] = []
    private static let mostMaskBytes = 16 << 20

    /// - Parameter unusable: Tokens that never come, or end a text.
    init(_ constraint: String, _ tokenizer: Tokenizer, unusable: Set<Int32> = []) throws(GraftError) {
        self.tokenizer = tokenizer
        tree = try tokenizer.tree()
        wordCount = (Int(tree.tokens.max() ?? 0) + 64) / 64
        paths = try TokenPaths(try Grammar.rules(constraint), tree, unusable: unusable)
    }

    var isFull: Bool { paths.states.isFull }
    func isOf(_ other: Tokenizer) -> Bool { tokenizer === other }

    /// Where a text begins; an error where no tokens make one.
    ///
    /// - Parameter context: The tokens before it.
    func start(after context: ArraySlice<Int32>) throws(GraftError) -> Int32 {
        let start = try tokenizer.dropsSpace(after: context) ? paths.states.startBeforeSpace : paths.states.start
        try paths.requireEnd(from: start)
        return start
    }

    /// Whether a text may end here.
    func accepts(_ state: Int32) -> Bool { paths.states.accepts(state) }

    /// Whether nothing can come but its end.
    func isComplete(_ state: Int32) throws(GraftError) -> Bool {
        guard accepts(state) else { return false }
        if let goesOn = paths.goesOn(state) { return !goesOn }
        return try mask(state).allSatisfy { $0 == 0 }
    }

    /// Where a token leads.
    func next(_ state: Int32, _ token: Int32) throws(GraftError) -> Int32 { try paths.next(state, token) }

    /// Leaves the logits of tokens that may come, and of those that end a text where it may end; an
    /// error where there are none.
    func mask(_ logits: Logits, _ state: Int32, stops: Set<Int32>) throws(GraftError) {
        let mask = try mask(state)
        let accepts = accepts(state)
        ends.removeAll(keepingCapacity: true)
        var isAny = false
        for stop in stops where logits.indices.contains(Int(stop)) {
            ends.append(accepts ? logits[Int(stop)] : -.infinity)
            isAny = isAny || ends[ends.count - 1] > -.infinity
            logits[Int(stop)] = -.infinity
        }
        for first in stride(from: 0, to: logits.count, by: 64) {
            let bits = first / 64 < mask.count ? mask[first / 64] : 0
            for token in first..<min(first + 64, logits.count) {
                if bits >> UInt64(token - first) & 1 == 0 {
                    logits[token] = -.infinity
                } else {
                    isAny = isAny || logits[token] > -.infinity
                }
            }
        }
        for (stop, logit) in zip(stops.lazy.filter { logits.indices.contains(Int($0)) }, ends) {
            logits[Int(stop)] = logit
        }
        guard isAny else {
            throw GraftError(
                .invalidArgument,
                "no token of the vocabulary that may come continues the text as its constraint asks, or ends it")
        }
    }

    private func mask(_ state: Int32) throws(GraftError) -> [UInt64] {
        if let known = masks[state] { return known }
        if 8 * wordCount * (masks.count + 1) > Self.mostMaskBytes { masks.removeAll() }
        var mask = Array(repeating: UInt64(0), count: wordCount)
        if state != AutomatonStates.none { try paths.mark(from: state, in: &mask) }
        masks[state] = mask
        return mask
    }
}

/// Where a text is that a constraint rules.
struct ConstrainedPlace {
    private let constraint: TokenConstraint
    private var state: Int32

    init(_ constraint: TokenConstraint, after context: ArraySlice<Int32>) throws(GraftError) {
        self.constraint = constraint
        state = try constraint.start(after: context)
    }

    /// Whether the text may end here.
    var accepts: Bool { constraint.accepts(state) }
    /// Whether it has to: nothing can come behind the latest token.
    private(set) var isComplete = false

    func mask(_ logits: Logits, stops: Set<Int32>) throws(GraftError) {
        try constraint.mask(logits, state, stops: stops)
    }

    mutating func advance(_ token: Int32) throws(GraftError) {
        state = try constraint.next(state, token)
        isComplete = try constraint.isComplete(state)
    }
}

/// The constraints of a session's latest texts, so that one that comes again is not read again.
struct KnownConstraints {
    private var all: [(text: String, unusable: Set<Int32>, constraint: TokenConstraint)] = []
    private static let most = 8

    /// - Parameters:
    ///   - never: Tokens that never come, or end a text.
    ///   - count: Of the tokens that the model has.
    mutating func find(
        _ text: String, _ tokenizer: Tokenizer, never: some Sequence<Int32>, count: Int
    ) throws(GraftError) -> TokenConstraint {
        let tree = try tokenizer.tree()
        let beyond = min(count, tokenizer.largestID + 1)..<tokenizer.largestID + 1
        var unusable = Set(never)
        for token in beyond { unusable.insert(Int32(token)) }
        unusable = unusable.filter { !tree.text(of: $0).isEmpty }
        all.removeAll { $0.constraint.isFull }
        let known = all.first {
            $0.text.utf8.elementsEqual(text.utf8) && $0.unusable == unusable && $0.constraint.isOf(tokenizer)
        }
        if let known { return known.constraint }
        let made = try TokenConstraint(text, tokenizer, unusable: unusable)
        if all.count == Self.most { all.removeFirst() }
        all.append((text, unusable, made))
        return made
    }
}
