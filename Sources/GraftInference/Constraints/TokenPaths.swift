import GraftTensor
import GraftTokenizers

/// The ways of tokens through an automaton: which tokens lead on from a state, and whether others
/// then lead to an end.
///
/// That bytes lead to one is not enough where a vocabulary has some bytes only within longer
/// tokens. Where tokens of one byte each do, the automaton knows it beforehand. Of other states a
/// search finds out, which is kept: depth first, since most ways lead to an end soon.
struct TokenPaths {
    private let tree: TokenTree
    private(set) var states: AutomatonStates
    /// Tokens that never come.
    private let unusable: Set<Int32>
    /// Whether what ends by bytes may not end by tokens.
    private let searches: Bool
    /// By states: whether tokens lead to an end, as far as it is known.
    private var verdicts: [Verdict] = []
    /// The states of a walk through the tree, by depths.
    private var path: [Int32]

    private enum Verdict: UInt8 { case unknown, ends, never }

    /// A state whose tokens are being followed, and the node of the tree where that goes on.
    private struct Step {
        let state: Int32
        var node = 0
    }

    /// - Parameter unusable: Tokens that never come.
    init(_ rules: [TextPattern], _ tree: TokenTree, unusable: Set<Int32> = []) throws(GraftError) {
        self.tree = tree
        self.unusable = unusable
        path = Array(repeating: AutomatonStates.none, count: tree.deepest + 1)
        var single = Array(repeating: false, count: 256)
        var index = 0
        while index < tree.nodes.count {
            single[Int(tree.nodes[index].byte)] = Self.isToken(index, tree, unusable)
            index = Int(tree.nodes[index].end)
        }
        let automaton = try ByteAutomaton(rules, bytes: tree.bytes, single: single)
        guard automaton.canEnd else {
            var states = try AutomatonStates(ByteAutomaton(rules, bytes: Array(repeating: true, count: 256)))
            throw Self.refusal(Self.shortestText(states.start, &states), tree, unusable)
        }
        states = try AutomatonStates(automaton)
        searches = states.needsLongTokens
    }

    // MARK: Tokens

    /// Where a token leads.
    mutating func next(_ state: Int32, _ token: Int32) throws(GraftError) -> Int32 {
        var state = state
        for byte in tree.text(of: token) where state >= 0 { state = try states.next(state, byte) }
        return state
    }

    /// Sets the bits of the tokens that lead from a state to where a text can end.
    mutating func mark(from state: Int32, in mask: inout [UInt64]) throws(GraftError) {
        var path = Array(repeating: state, count: tree.deepest + 1)
        var index = 0
        while index < tree.nodes.count {
            let node = tree.nodes[index]
            let next = try states.next(path[Int(node.depth) - 1], node.byte)
            if next == AutomatonStates.none {
                index = Int(node.end)
                continue
            }
            path[Int(node.depth)] = next
            let tokens = tree.tokens(at: index)
            index += 1
            if searches, !tokens.isEmpty, try !canEnd(next) { continue }
            for place in tokens {
                let token = Int(tree.tokens[place])
                mask[token / 64] |= 1 << UInt64(token % 64)
            }
        }
        for token in unusable where Int(token) / 64 < mask.count { mask[Int(token) / 64] &= ~(1 << UInt64(token % 64)) }
    }

    /// Whether some token leads on from a state to where a text can end; nil where only its mask
    /// tells.
    func goesOn(_ state: Int32) -> Bool? {
        if states.isComplete(state) { return false }
        return !searches || states.endsBytewise(state, isBehindMore: true) ? true : nil
    }

    private static func isToken(_ node: Int, _ tree: TokenTree, _ unusable: Set<Int32>) -> Bool {
        let tokens = tree.tokens(at: node)
        return unusable.isEmpty ? !tokens.isEmpty : tokens.contains { !unusable.contains(tree.tokens[$0]) }
    }

    // MARK: Ends

    /// Whether tokens lead from a state to an end.
    mutating func canEnd(_ state: Int32) throws(GraftError) -> Bool {
        let known = verdict(state)
        if known != .unknown { return known == .ends }
        var open = [Step(state: state)]
        var seen: Set<Int32> = [state]
        while let last = open.indices.last {
            guard let next = try follow(&open[last], &seen) else {
                open.removeLast()
                continue
            }
            if verdict(next) == .ends {
                for step in open { verdicts[Int(step.state)] = .ends }
                return true
            }
            open.append(Step(state: next))
        }
        for state in seen { verdicts[Int(state)] = .never }
        return false
    }

    /// What is known of a state without a search.
    private mutating func verdict(_ state: Int32) -> Verdict {
        let missing = Int(state) + 1 - verdicts.count
        if missing > 0 { verdicts.append(contentsOf: repeatElement(.unknown, count: missing)) }
        if verdicts[Int(state)] == .unknown, states.accepts(state) || states.endsBytewise(state) {
            verdicts[Int(state)] = .ends
        }
        return verdicts[Int(state)]
    }

    /// Where a further token leads from a state: to the next that was not seen and may have an end.
    private mutating func follow(_ step: inout Step, _ seen: inout Set<Int32>) throws(GraftError) -> Int32? {
        let first = step.node
        guard first < tree.nodes.count else { return nil }
        path[0] = step.state
        let above = tree.text(of: tree.tokens[Int(tree.nodes[first].firstToken)])
        for (depth, byte) in above.prefix(Int(tree.nodes[first].depth) - 1).enumerated() {
            path[depth + 1] = try states.next(path[depth], byte)
        }
        var work = 1
        while step.node < tree.nodes.count {
            let index = step.node
            let node = tree.nodes[index]
            let next = try states.next(path[Int(node.depth) - 1], node.byte)
            work += 1
            step.node = next == AutomatonStates.none ? Int(node.end) : index + 1
            if next == AutomatonStates.none { continue }
            path[Int(node.depth)] = next
            if Self.isToken(index, tree, unusable), verdict(next) != .never, seen.insert(next).inserted {
                try states.spend(work)
                return next
            }
        }
        try states.spend(work)
        return nil
    }

    // MARK: Refusals

    /// An error where no tokens lead from where a text begins to an end.
    mutating func requireEnd(from start: Int32) throws(GraftError) {
        if try canEnd(start) { return }
        throw Self.refusal(Self.shortestText(start, &states), tree, unusable)
    }

    /// Work that an example is worth.
    private static let exampleWork = 1 << 20

    /// One of the shortest texts that are allowed; nil where there is none, or none so short.
    private static func shortestText(_ start: Int32, _ states: inout AutomatonStates) -> [UInt8]? {
        if start == AutomatonStates.none { return nil }
        var found: [(state: Int32, before: Int, byte: UInt8)] = [(start, -1, 0)]
        var seen: Set<Int32> = [start]
        var index = 0
        let most = states.work + exampleWork
        while index < found.count, states.work < most {
            if states.accepts(found[index].state) {
                var text: [UInt8] = []
                while found[index].before >= 0 {
                    text.append(found[index].byte)
                    index = found[index].before
                }
                return text.reversed()
            }
            for byte in UInt8.min...UInt8.max {
                guard let next = try? states.next(found[index].state, byte) else { return nil }
                if next != AutomatonStates.none, seen.insert(next).inserted { found.append((next, index, byte)) }
            }
            index += 1
        }
        return nil
    }

    private static func refusal(_ text: [UInt8]?, _ tree: TokenTree, _ unusable: Set<Int32>) -> GraftError {
        var message =
            "no text is as the constraint asks, of the tokens that may come and of at most \(ByteAutomaton.deepest) levels"
        if let text, !text.isEmpty {
            let end = furthest(in: text, tree, unusable)
            let shown = String(decoding: text.prefix(100), as: UTF8.self)
            let behind = String(decoding: text[..<end].suffix(100), as: UTF8.self)
            message += ": of \"\(shown)\" " + (end == 0 ? "none is the beginning" : "none goes on behind \"\(behind)\"")
        }
        return GraftError(.invalidArgument, message)
    }

    /// How much of a text tokens make.
    private static func furthest(in text: [UInt8], _ tree: TokenTree, _ unusable: Set<Int32>) -> Int {
        var isMade = Array(repeating: false, count: text.count + 1)
        isMade[0] = true
        for start in text.indices where isMade[start] {
            var (index, end) = (0, start)
            while end < text.count, index < tree.nodes.count, Int(tree.nodes[index].depth) == end - start + 1 {
                guard tree.nodes[index].byte == text[end] else {
                    index = Int(tree.nodes[index].end)
                    continue
                }
                end += 1
                if isToken(index, tree, unusable) { isMade[end] = true }
                index += 1
            }
        }
        return isMade.lastIndex(of: true) ?? 0
    }
}
