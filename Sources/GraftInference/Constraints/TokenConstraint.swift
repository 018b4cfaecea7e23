import GraftTensor
import GraftTokenizers

/// Which tokens may come where, so that a text is one that a constraint allows: of each state of
/// its automaton the tokens whose bytes lead on, found by one walk through the tree of all tokens
/// and kept (Willard & Louf 2023).
///
/// A token may come exactly if some text that is allowed begins so, as long as each byte that the
/// tokens have is a token by itself, as in byte-level BPE and with byte fallback.
final class TokenConstraint {
    private let tokenizer: Tokenizer
    private let tree: TokenTree
    private var states: AutomatonStates
    /// By states: a bit for each token.
    private var masks: [Int32: [UInt64]] = [:]
    private let wordCount: Int
    /// Of the stop tokens in the latest step.
    private var ends: [Float] = []
    private static let mostMaskBytes = 16 << 20

    init(_ constraint: String, _ tokenizer: Tokenizer) throws(GraftError) {
        self.tokenizer = tokenizer
        tree = try tokenizer.tree()
        wordCount = (Int(tree.tokens.max() ?? 0) + 64) / 64
        let automaton = try ByteAutomaton(try Grammar.rules(constraint), bytes: tree.bytes)
        guard automaton.canEnd else {
            throw GraftError(
                .invalidArgument,
                "no text is as the constraint asks, of the bytes that the tokens have and of at most "
                    + "\(ByteAutomaton.deepest) levels")
        }
        states = try AutomatonStates(automaton)
    }

    var isFull: Bool { states.isFull }
    func isOf(_ other: Tokenizer) -> Bool { tokenizer === other }

    /// Where a text begins.
    ///
    /// - Parameter context: The tokens before it.
    func start(after context: ArraySlice<Int32>) throws(GraftError) -> Int32 {
        try tokenizer.dropsSpace(after: context) ? states.startBeforeSpace : states.start
    }

    func accepts(_ state: Int32) -> Bool { states.accepts(state) }
    func isComplete(_ state: Int32) -> Bool { states.isComplete(state) }

    /// Where a token leads.
    func next(_ state: Int32, _ token: Int32) throws(GraftError) -> Int32 {
        var state = state
        for byte in tree.text(of: token) where state >= 0 { state = try states.next(state, byte) }
        return state
    }

    /// Leaves the logits of tokens that may come, and of those that end a text where it may end; an
    /// error where there are none.
    func mask(_ logits: UnsafeMutableBufferPointer<Float>, _ state: Int32, stops: Set<Int32>) throws(GraftError) {
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
        if state != AutomatonStates.none { try states.mark(tree, from: state, in: &mask) }
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
    /// Whether it has to.
    var isComplete: Bool { constraint.isComplete(state) }

    func mask(_ logits: UnsafeMutableBufferPointer<Float>, stops: Set<Int32>) throws(GraftError) {
        try constraint.mask(logits, state, stops: stops)
    }

    mutating func advance(_ token: Int32) throws(GraftError) { state = try constraint.next(state, token) }
}

/// The constraints of a session's latest texts, so that one that comes again is not read again.
struct KnownConstraints {
    private var all: [(text: String, constraint: TokenConstraint)] = []
    private static let most = 8

    mutating func find(_ text: String, _ tokenizer: Tokenizer) throws(GraftError) -> TokenConstraint {
        all.removeAll { $0.constraint.isFull }
        if let known = all.first(where: { $0.text.utf8.elementsEqual(text.utf8) && $0.constraint.isOf(tokenizer) }) {
            return known.constraint
        }
        let made = try TokenConstraint(text, tokenizer)
        if all.count == Self.most { all.removeFirst() }
        all.append((text, made))
        return made
    }
}
