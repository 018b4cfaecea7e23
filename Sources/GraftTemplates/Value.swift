/// What an expression of a template gives: Python's values, as far as templates meet them.
///
/// Nothing changes but namespaces, as in jinja2's immutable sandbox. Collections know how deep they
/// are nested, so that what walks through one needs a bounded stack, and how much is in them, since
/// one that holds another many times is larger to walk through than in memory.
enum Value {
    case undefined(Undefined)
    case none
    case bool(Bool)
    case integer(Int)
    /// An integer beyond 64 bits, as a message spells it: it can be written and no more.
    case longInteger(Bytes)
    case float(Double)
    case string(Bytes)
    case elements(Elements)
    case dictionary(Dictionary)
    case namespace(Namespace)
    case macro(Macro)
    case function(Function)
    case method(Method)
    case loop(Loop)

    static func string(_ text: String) -> Value { .string(utf8(text)) }
    static func list(_ values: [Value]) -> Value { .elements(Elements(.list, values)) }
    static func tuple(_ values: [Value]) -> Value { .elements(Elements(.tuple, values)) }
    static func generator(_ values: [Value]) -> Value { .elements(Elements(.generator, values)) }

    /// A value that is not there, which says why when it is used.
    struct Undefined {
        enum Reason { case name, attribute, element, parameter, forbidden, empty, branch }

        var name: Bytes
        var reason: Reason
    }

    /// Levels of collections, this one included.
    var depth: Int {
        switch self {
        case .elements(let elements): elements.depth
        case .dictionary(let dictionary): dictionary.depth
        case .method(let method): method.receiver.depth + 1
        case .loop(let loop): loop.elements.depth + 1
        default: 0
        }
    }

    /// What it is to walk through the value: bytes of texts, and sixteen for each element.
    var weight: Int {
        switch self {
        case .string(let text): text.count
        case .elements(let elements): elements.weight
        case .dictionary(let dictionary): dictionary.weight
        default: 1
        }
    }

    /// More than any template may walk through.
    static let mostWeight = 1 << 40

    /// Python's name of the type, for messages.
    var kind: String {
        switch self {
        case .undefined: "undefined"
        case .none: "none"
        case .bool: "a boolean"
        case .integer, .longInteger: "an integer"
        case .float: "a float"
        case .string: "a string"
        case .elements(let elements):
            switch elements.kind {
            case .list: "a list"
            case .tuple: "a tuple"
            case .range: "a range"
            case .keys, .values, .items: "a view of a mapping"
            case .generator: "a generator"
            }
        case .dictionary: "a mapping"
        case .namespace: "a namespace"
        case .macro: "a macro"
        case .function, .method: "a function"
        case .loop: "a loop"
        }
    }

    /// Whether a condition holds.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .float(let value): value != 0
        case .string(let text): !text.isEmpty
        case .elements(let elements): elements.kind == .generator || !elements.values.isEmpty
        case .dictionary(let dictionary): !dictionary.members.isEmpty
        case .loop(let loop): !loop.elements.values.isEmpty
        default: true
        }
    }

    var isUndefined: Bool {
        if case .undefined = self { true } else { false }
    }
}

/// A list, or what Python iterates over like one.
final class Elements {
    enum Kind { case list, tuple, range, keys, values, items, generator }

    let kind: Kind
    /// Of a generator what it has not given yet.
    private(set) var values: [Value]
    let depth: Int
    let weight: Int
    /// Of a range its step and bounds, which its text shows.
    let bounds: (start: Int, end: Int, step: Int)

    init(_ kind: Kind, _ values: [Value], bounds: (start: Int, end: Int, step: Int) = (0, 0, 1)) {
        self.kind = kind
        self.values = values
        self.bounds = bounds
        var (depth, weight) = (0, 16)
        for value in values {
            depth = max(depth, value.depth)
            weight = min(weight + value.weight + 16, Value.mostWeight)
        }
        (self.depth, self.weight) = (depth + 1, weight)
    }

    /// All of them; a generator has none left afterwards.
    func taken() -> [Value] {
        guard kind == .generator else { return values }
        defer { values = [] }
        return values
    }

    /// The first; a generator then goes on with the second.
    func takenFirst() -> Value? {
        kind == .generator && !values.isEmpty ? values.removeFirst() : values.first
    }

    var hasLength: Bool { kind != .generator }
    /// Whether an index finds something.
    var isSequence: Bool { kind == .list || kind == .tuple || kind == .range }
}

/// A mapping in the order of its members.
final class Dictionary {
    typealias Member = (key: Value, value: Value)

    let members: [Member]
    let depth: Int
    let weight: Int
    /// Of texts alone, once there are many.
    private let places: [Bytes: Int]?
    private static let indexedFrom = 12

    /// - Parameter members: the last of equal keys wins, in the place of the first.
    init(_ given: [Member], isUnique: Bool = false) {
        var members: [Member] = isUnique ? given : []
        var places: [Bytes: Int] = [:]
        var isIndexed = given.count >= Self.indexedFrom
        for (index, member) in given.enumerated() {
            guard case .string(let name) = member.key else {
                isIndexed = false
                if !isUnique { Self.add(member, to: &members) }
                continue
            }
            if given.count < Self.indexedFrom {
                if !isUnique { Self.add(member, to: &members) }
            } else if let place = places[name] {
                if !isUnique { members[place].value = member.value }
            } else {
                places[name] = isUnique ? index : members.count
                if !isUnique { members.append(member) }
            }
        }
        self.members = members
        self.places = isIndexed ? places : nil
        var (depth, weight) = (0, 16)
        for (key, value) in members {
            depth = max(depth, key.depth, value.depth)
            weight = min(weight + key.weight + value.weight + 32, Value.mostWeight)
        }
        (self.depth, self.weight) = (depth + 1, weight)
    }

    private static func add(_ member: Member, to members: inout [Member]) {
        if let place = members.firstIndex(where: { equals($0.key, member.key) }) {
            members[place].value = member.value
        } else {
            members.append(member)
        }
    }

    subscript(name: Bytes) -> Value? {
        if let places { return places[name].map { members[$0].value } }
        for member in members {
            if case .string(let key) = member.key, key == name { return member.value }
        }
        return nil
    }

    subscript(key: Value) -> Value? {
        if case .string(let name) = key { return self[name] }
        return members.first { equals($0.key, key) }?.value
    }
}

/// Attributes that a template may set.
final class Namespace {
    var members: [(name: Bytes, value: Value)]

    init(_ members: [(name: Bytes, value: Value)]) { self.members = members }

    subscript(name: Bytes) -> Value? {
        get { members.first { $0.name == name }?.value }
        set {
            guard let newValue else { return }
            if let place = members.firstIndex(where: { $0.name == name }) {
                members[place].value = newValue
            } else {
                members.append((name, newValue))
            }
        }
    }
}

/// A macro, or the body of a `call` block, with the names around its definition.
final class Macro {
    let node: MacroNode
    /// Nil once the template is done.
    var scope: Scope?

    init(_ node: MacroNode, scope: Scope) {
        self.node = node
        self.scope = scope
    }
}

/// A method of a value, taken from it and not called yet.
final class Method {
    let receiver: Value
    let name: Bytes

    init(_ receiver: Value, _ name: Bytes) {
        self.receiver = receiver
        self.name = name
    }
}

/// The functions of the environment.
enum Function: String, CaseIterable {
    case range, dict, namespace, lipsum, cycler, joiner, strftimeNow = "strftime_now", raiseException =
        "raise_exception"
}

/// A `for` loop under way: the variable `loop`.
final class Loop {
    let node: LoopNode
    let elements: Elements
    let depth: Int
    var index = 0
    var lastChanged: [Value]?
    /// The names around it, for a recursive loop; nil once the template is done.
    var scope: Scope?

    init(_ node: LoopNode, _ elements: Elements, depth: Int, scope: Scope) {
        self.node = node
        self.elements = elements
        self.depth = depth
        self.scope = scope
    }
}

/// Names that a block sets, and those around it.
final class Scope {
    private var names: [Int] = []
    private var values: [Value] = []
    let outer: Scope?

    init(in outer: Scope?) { self.outer = outer }

    subscript(name: Int) -> Value? {
        get {
            for (index, known) in names.enumerated() where known == name { return values[index] }
            return nil
        }
        set {
            guard let newValue else { return }
            for (index, known) in names.enumerated() where known == name {
                values[index] = newValue
                return
            }
            names.append(name)
            values.append(newValue)
        }
    }

    func removeAll() {
        names.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
    }
}
