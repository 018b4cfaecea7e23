import GraftTensor

/// An automaton as a deterministic one, whose states are found as texts come to them.
///
/// A state is the nodes where a text may be, each with the stack of what is behind the rules that
/// it is in.
struct AutomatonStates {
    /// Where no text can go on.
    static let none: Int32 = -1
    private static let unknown: Int32 = -2

    private let automaton: ByteAutomaton
    /// Of each state, ascending: a stack and a node.
    private var places: [[UInt64]] = []
    private var numbers: [[UInt64]: Int32] = [:]
    /// [state, class of bytes].
    private var table: [Int32] = []

    /// A node that waits on top of another stack.
    private struct Stack {
        var below: Int32
        var node: Int32
        var depth: Int32
        /// Whether a text can end behind it by tokens of one byte each.
        var endsBytewise: Bool
    }

    /// The first is the empty one.
    private var stacks = [Stack(below: 0, node: ByteAutomaton.end, depth: 0, endsBytewise: true)]
    private var stackNumbers: [UInt64: Int32] = [:]

    /// What finding a state has to do, and has found.
    private var open: [UInt64] = []
    private var found: Set<UInt64> = []

    private var placeCount = 0
    private(set) var work = 0
    private static let mostPlaces = 1 << 21
    private static let mostWork = 1 << 26

    private(set) var start: Int32 = AutomatonStates.none
    /// The start of a text the first space of which is dropped.
    private(set) var startBeforeSpace: Int32 = AutomatonStates.none

    init(_ automaton: ByteAutomaton) throws(GraftError) {
        self.automaton = automaton
        push(0, automaton.start)
        start = try state()
        startBeforeSpace = Int32(places.count)
        try add(start == Self.none ? [] : places[Int(start)])
        table[Int(startBeforeSpace) * automaton.classCount + Int(automaton.classes[0x20])] = start
    }

    /// Whether so much was found that a new start is better.
    var isFull: Bool { placeCount > Self.mostPlaces / 2 || work > Self.mostWork / 2 }

    /// Whether a text may end here.
    func accepts(_ state: Int32) -> Bool { state >= 0 && places[Int(state)].first == Self.accepted }

    /// Whether nothing can come but its end.
    func isComplete(_ state: Int32) -> Bool { accepts(state) && places[Int(state)].count == 1 }

    /// Whether tokens of one byte each lead from a state to an end; `isBehindMore`: to another than
    /// the state itself.
    func endsBytewise(_ state: Int32, isBehindMore: Bool = false) -> Bool {
        let all = places[Int(state)]
        return all.dropFirst(isBehindMore && all.first == Self.accepted ? 1 : 0).contains {
            endsBytewise(Int32($0 >> 32), Int32($0 & 0xFFFF_FFFF))
        }
    }

    private func endsBytewise(_ stack: Int32, _ node: Int32) -> Bool {
        let behind = stacks[Int(stack)]
        return behind.endsBytewise
            && Int(behind.depth) + Int(automaton.bytewiseHeights[Int(node)]) <= ByteAutomaton.deepest
    }

    /// Whether some state may end by bytes, but not by tokens of one byte each.
    var needsLongTokens: Bool { automaton.heights != automaton.bytewiseHeights }

    /// Counts work that is done with the states; an error where it is too much.
    mutating func spend(_ amount: Int) throws(GraftError) {
        work += amount
        if work > Self.mostWork { throw Self.isTooLarge }
        try Memory.check()
    }

    /// Where the text's own end is reached: the first of all places, as a state has them.
    private static let accepted = UInt64(ByteAutomaton.end)

    /// Where a byte leads from a state.
    @inline(__always)
    mutating func next(_ state: Int32, _ byte: UInt8) throws(GraftError) -> Int32 {
        let known = table[Int(state) * automaton.classCount + Int(automaton.classes[Int(byte)])]
        return known == Self.unknown ? try find(state, byte) : known
    }

    private mutating func find(_ state: Int32, _ byte: UInt8) throws(GraftError) -> Int32 {
        let all = places[Int(state)]
        work += all.count
        for place in all {
            let node = automaton.nodes[Int(place & 0xFFFF_FFFF)]
            if node.kind == .byte, node.low <= byte, byte <= node.high { push(Int32(place >> 32), node.next) }
        }
        let next = try self.state()
        table[Int(state) * automaton.classCount + Int(automaton.classes[Int(byte)])] = next
        return next
    }

    /// Notes a place, unless no text ends behind it.
    private mutating func push(_ stack: Int32, _ node: Int32) {
        guard Int(stacks[Int(stack)].depth) + Int(automaton.heights[Int(node)]) <= ByteAutomaton.deepest else { return }
        let place = UInt64(stack) << 32 | UInt64(node)
        if found.insert(place).inserted { open.append(place) }
    }

    /// The state of the places that were noted, and of those that they lead to without a byte.
    private mutating func state() throws(GraftError) -> Int32 {
        defer {
            open.removeAll(keepingCapacity: open.count < 1 << 12)
            found.removeAll(keepingCapacity: found.count < 1 << 12)
        }
        var all: [UInt64] = []
        while let place = open.popLast() {
            work += 1
            if work > Self.mostWork || placeCount > Self.mostPlaces { throw Self.isTooLarge }
            try Memory.check()
            let stack = Int32(place >> 32)
            let node = automaton.nodes[Int(place & 0xFFFF_FFFF)]
            switch node.kind {
            case .fail: break
            case .byte: all.append(place)
            case .end:
                let top = stacks[Int(stack)]
                if stack == 0 { all.append(place) } else { push(top.below, top.node) }
            case .split:
                push(stack, node.next)
                push(stack, node.other)
            case .jump: push(stack, automaton.start(ofRule: node.other))
            case .call: push(stackNumber(stack, node.next), automaton.start(ofRule: node.other))
            }
        }
        if all.isEmpty { return Self.none }
        all.sort()
        if let known = numbers[all] { return known }
        let number = Int32(places.count)
        numbers[all] = number
        try add(all)
        return number
    }

    private mutating func add(_ state: [UInt64]) throws(GraftError) {
        placeCount += state.count + automaton.classCount
        if placeCount > Self.mostPlaces { throw Self.isTooLarge }
        places.append(state)
        table.append(contentsOf: repeatElement(Self.unknown, count: automaton.classCount))
    }

    private mutating func stackNumber(_ below: Int32, _ node: Int32) -> Int32 {
        let key = UInt64(below) << 32 | UInt64(node)
        if let known = stackNumbers[key] { return known }
        let number = Int32(stacks.count)
        let depth = stacks[Int(below)].depth + 1
        stacks.append(Stack(below: below, node: node, depth: depth, endsBytewise: endsBytewise(below, node)))
        stackNumbers[key] = number
        placeCount += 8
        return number
    }

    private static let isTooLarge = GraftError(
        .unsupported,
        "what the constraint allows takes more memory or work than there is for it: expected fewer repetitions of what "
            + "begins alike")
}
