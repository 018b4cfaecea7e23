import GraftTensor
import GraftTokenizers

/// A grammar's texts as an automaton over bytes, not yet determinised (Thompson 1968), whose rules
/// call each other: what is behind a call waits on a stack, as in Woods' transition networks
/// (1970).
///
/// Stacks have at most `deepest` levels. The height of a node is how many more levels it takes to
/// come from there to the end of its rule: so what a text can begin with is exactly what can be
/// completed.
struct ByteAutomaton {
    struct Node: BitwiseCopyable {
        enum Kind: UInt8 {
            /// Nothing is behind it.
            case fail
            /// The end of a rule, or of the text.
            case end
            /// A byte of a range leads on.
            case byte
            /// Both ways lead on.
            case split
            /// A rule, and then what is behind it.
            case call
            /// A rule that is the last thing in another: it takes no level of the stack.
            case jump
        }
        var kind: Kind
        var low: UInt8 = 0
        var high: UInt8 = 0
        var next: Int32 = 0
        /// The other way of a split; the rule of a call or jump.
        var other: Int32 = 0
    }

    static let fail: Int32 = 0
    static let end: Int32 = 1
    static let deepest = 64
    /// No end can be reached.
    private static let endless: UInt8 = 255

    private(set) var nodes = [Node(kind: .fail), Node(kind: .end)]
    private var starts: [Int32]
    private(set) var heights: [UInt8] = []
    /// The same where each byte has to be a token by itself, and the rules called likewise.
    private(set) var bytewiseHeights: [UInt8] = []
    private(set) var start: Int32 = 0
    /// Bytes that nothing tells apart have one class.
    private(set) var classes = Array(repeating: UInt8(0), count: 256)
    private(set) var classCount = 1

    private var work = 0
    private static let mostNodes = 1 << 19

    /// - Parameters:
    ///   - rules: The first is what the text is.
    ///   - bytes: Those that can come at all.
    ///   - single: Those that are tokens by themselves; nil for all of them.
    init(_ rules: [TextPattern], bytes: [Bool], single: [Bool]? = nil) throws(GraftError) {
        try Memory.require(18 * Self.mostNodes, to: "a constraint")
        starts = Array(repeating: Self.fail, count: rules.count)
        // What is called comes before what calls it, as far as it can.
        for rule in rules.indices.reversed() { starts[rule] = try emit(rules[rule], Self.end) }
        start = starts.first ?? Self.fail
        findClasses()
        heights = findHeights(bytes)
        bytewiseHeights = heights
        if let single, single != bytes { bytewiseHeights = findHeights(single) }
    }

    /// Whether a text of the grammar exists.
    var canEnd: Bool { Int(heights[Int(start)]) <= Self.deepest }

    func start(ofRule rule: Int32) -> Int32 { starts[Int(rule)] }

    // MARK: Nodes of patterns

    /// The node where a pattern begins that goes on at another.
    private mutating func emit(_ pattern: TextPattern, _ next: Int32) throws(GraftError) -> Int32 {
        try count()
        var node = next
        switch pattern {
        case .bytes(let bytes):
            for byte in bytes.reversed() where node != Self.fail {
                node = try add(Node(kind: .byte, low: byte, high: byte, next: node))
            }
        case .characters(let set): node = try emit(set, next)
        case .sequence(let parts):
            for part in parts.reversed() { node = try emit(part, node) }
        case .choice(let parts):
            node = Self.fail
            for part in parts.reversed() { node = try either(try emit(part, next), node) }
        case .repeated(let body, let least, let most):
            if let most {
                for _ in least..<max(least, most) { node = try either(try emit(body, node), next) }
            } else {
                let loop = try add(Node(kind: .split, other: next))
                nodes[Int(loop)].next = try emit(body, loop)
                node = loop
            }
            for _ in 0..<least { node = try emit(body, node) }
        case .rule(let rule):
            let kind: Node.Kind = next == Self.end ? .jump : .call
            node = try add(Node(kind: kind, next: next, other: Int32(rule)))
        }
        return node
    }

    private mutating func emit(_ set: ScalarSet, _ next: Int32) throws(GraftError) -> Int32 {
        // Many sequences end alike.
        var known: [UInt64: Int32] = [:]
        var node = Self.fail
        for sequence in UTF8Sequences.of(set).reversed() {
            var first = next
            for range in sequence.reversed() {
                let key = UInt64(range.lowerBound) << 40 | UInt64(range.upperBound) << 32 | UInt64(first)
                if let made = known[key] {
                    first = made
                    continue
                }
                first = try add(Node(kind: .byte, low: range.lowerBound, high: range.upperBound, next: first))
                known[key] = first
            }
            node = try either(first, node)
        }
        return node
    }

    private mutating func either(_ one: Int32, _ other: Int32) throws(GraftError) -> Int32 {
        if one == Self.fail || one == other { return other }
        return other == Self.fail ? one : try add(Node(kind: .split, next: one, other: other))
    }

    private mutating func add(_ node: Node) throws(GraftError) -> Int32 {
        try count()
        nodes.append(node)
        return Int32(nodes.count - 1)
    }

    /// What is repeated so often that it would take for ever is refused, nothing included.
    private mutating func count() throws(GraftError) {
        work += 1
        guard work <= Self.mostNodes else {
            throw GraftError(
                .unsupported,
                "the constraint takes more than \(Self.mostNodes) nodes: expected fewer choices or repetitions")
        }
        try Memory.check()
    }

    // MARK: What is known of them

    private mutating func findClasses() {
        var begins = Array(repeating: false, count: 257)
        // The first space of a text may be one that is dropped.
        (begins[0x20], begins[0x21]) = (true, true)
        for node in nodes where node.kind == .byte {
            begins[Int(node.low)] = true
            begins[Int(node.high) + 1] = true
        }
        var number: UInt8 = 0
        for byte in 1..<256 {
            if begins[byte] { number += 1 }
            classes[byte] = number
        }
        classCount = Int(number) + 1
    }

    private func findHeights(_ bytes: [Bool]) -> [UInt8] {
        var heights = Array(repeating: Self.endless, count: nodes.count)
        heights[Int(Self.end)] = 0
        var hasChanged = true
        var isUpwards = false
        while hasChanged {
            hasChanged = false
            // What is called mostly comes first, but a rule may call one that was made before it.
            isUpwards.toggle()
            for place in 2..<nodes.count {
                let index = isUpwards ? place : nodes.count + 1 - place
                let height = height(nodes[index], bytes, heights)
                if height < heights[index] {
                    heights[index] = height
                    hasChanged = true
                }
            }
        }
        return heights
    }

    private func height(_ node: Node, _ bytes: [Bool], _ heights: [UInt8]) -> UInt8 {
        func height(_ node: Int32) -> UInt8 { heights[Int(node)] }
        switch node.kind {
        case .fail: return Self.endless
        case .end: return 0
        case .byte: return bytes[Int(node.low)...Int(node.high)].contains(true) ? height(node.next) : Self.endless
        case .split: return min(height(node.next), height(node.other))
        case .jump: return height(start(ofRule: node.other))
        case .call:
            let called = height(start(ofRule: node.other))
            return called > UInt8(Self.deepest) ? Self.endless : max(called + 1, height(node.next))
        }
    }
}
