import GraftTensor

/// One rendering of a template.
///
/// A template comes from a file, so what it may do is bounded: steps and bytes that it makes
/// (`mostWork`), text that it writes (`mostText`), levels within each other (`mostNested`), and
/// levels of a collection (`mostDepth`). What exceeds one is an error.
final class Renderer {
    /// Bytes of one text.
    static let mostText = 64 << 20
    /// Statements, expressions and calls under way: they take stack, of which a thread may have 64
    /// kB.
    static let mostNested = 80
    /// Levels of lists and mappings within each other.
    static let mostDepth = 60
    /// Elements of a `range`, as in jinja2's sandbox.
    static let mostOfRange = 100_000

    let syntax: Syntax
    /// What the caller gives, by the numbers of names.
    let context: [Value?]
    var output = Bytes()
    /// Texts that are set aside while a block writes into a variable.
    var heldOutputs: [Bytes] = []
    /// Where the assistant speaks: from which byte of the template's own text, and how many
    /// characters.
    var generations: [(start: Int, characters: Int)] = []
    var scope: Scope
    /// Where the renderer is, for messages.
    var line = 1
    private var work = 0
    private var nesting = 0
    /// What a template can make refer to itself, taken apart at the end.
    private var namespaces: [Namespace] = []
    private var macros: [Macro] = []
    private var loops: [Loop] = []
    /// Seconds since 1970, for `strftime_now`; nil is the time of the call.
    let now: Int?

    let mostWork: Int

    init(_ syntax: Syntax, context: [Value?], now: Int?, mostWork: Int) {
        self.mostWork = mostWork
        self.syntax = syntax
        self.context = context
        self.now = now
        scope = Scope(in: nil)
    }

    func render() throws(GraftError) {
        defer { takeApart() }
        _ = try run(syntax.body)
    }

    private func takeApart() {
        for namespace in namespaces { namespace.members = [] }
        for macro in macros { macro.scope = nil }
        for loop in loops { (loop.scope, loop.lastChanged) = (nil, nil) }
        scope.removeAll()
    }

    // MARK: Bounds

    func charge(_ units: Int) throws(GraftError) {
        guard 0...mostWork ~= units else { throw tooMuch("it does more work than a template may") }
        work += units
        guard work <= mostWork else { throw tooMuch("it does more work than a template may") }
        try Memory.check()
    }

    func tooMuch(_ what: String) -> GraftError { GraftError(.unsupported, what) }

    /// A text that is made.
    func made(_ bytes: Bytes) throws(GraftError) -> Value {
        try charge(bytes.count)
        guard bytes.count <= Self.mostText else { throw tooMuch("a text of more than \(Self.mostText) bytes") }
        return .string(bytes)
    }

    /// Before a text of so many bytes is made.
    func announce(_ count: Int) throws(GraftError) {
        guard count >= 0, count <= Self.mostText else {
            throw tooMuch("a text of more than \(Self.mostText) bytes")
        }
        try charge(count)
        try Memory.require(2 * count, to: "rendering a template")
    }

    /// A collection that is made.
    func made(_ value: Value, count: Int) throws(GraftError) -> Value {
        try charge(16 &* count)
        guard value.depth <= Self.mostDepth else { throw tooMuch("values nested deeper than \(Self.mostDepth) levels") }
        return value
    }

    func list(_ values: [Value]) throws(GraftError) -> Value { try made(.list(values), count: values.count) }

    /// Begins a level; `leave` ends it.
    @inline(__always)
    func enter() throws(GraftError) {
        nesting += 1
        work &+= 8
        guard nesting <= Self.mostNested, work <= mostWork else { throw exceeded }
    }

    @inline(__always)
    func leave() { nesting -= 1 }

    private var exceeded: GraftError {
        tooMuch(
            nesting > Self.mostNested
                ? "statements, expressions and calls nested deeper than \(Self.mostNested) levels"
                : "it does more work than a template may")
    }

    // MARK: Names

    func value(of name: Int) -> Value {
        var scope: Scope? = self.scope
        while let current = scope {
            if let value = current[name] { return value }
            scope = current.outer
        }
        if let value = context[name] { return value }
        if let function = syntax.functions[name] { return .function(function) }
        return .undefined(Value.Undefined(name: syntax.names[name], reason: .name))
    }

    func within<Result>(_ scope: Scope, _ body: () throws(GraftError) -> Result) throws(GraftError) -> Result {
        let outer = self.scope
        self.scope = scope
        defer { self.scope = outer }
        return try body()
    }

    func keep(_ namespace: Namespace) throws(GraftError) -> Value {
        try charge(128)
        namespaces.append(namespace)
        return .namespace(namespace)
    }

    func keep(_ macro: Macro) throws(GraftError) -> Value {
        try charge(128)
        macros.append(macro)
        return .macro(macro)
    }

    func keep(_ loop: Loop) { loops.append(loop) }

    // MARK: Text

    /// What `{{ … }}` writes.
    func written(_ value: Value) throws(GraftError) -> Bytes {
        if case .string(let text) = value { return text }
        try charge(value.weight)
        return try value.written()
    }

    func write(_ bytes: Bytes) throws(GraftError) {
        work &+= bytes.count
        guard output.count + bytes.count <= Self.mostText else {
            throw tooMuch("a text of more than \(Self.mostText) bytes")
        }
        output += bytes
    }

    /// The text that a block writes, which is nowhere else.
    func captured(_ body: () throws(GraftError) -> Void) throws(GraftError) -> Bytes {
        heldOutputs.append(output)
        output = []
        defer { output = heldOutputs.popLast() ?? [] }
        try body()
        return output
    }

    /// Bytes of the template's own text so far.
    var writtenCount: Int { heldOutputs.first?.count ?? output.count }
}
