import GraftTensor

/// Makes a syntax tree of tokens, by jinja2's grammar.
///
/// What it knows of jinja2's statements is all but those that read other templates (`extends`,
/// `include`, `import`, `from`, `block`) and `autoescape`: they are refused by name.
struct Parser {
    private let tokens: [Token]
    var position = 0
    var numbers: [Bytes: Int] = [:]
    var syntax = Syntax()
    /// Statements and expressions around this place.
    var nesting = 0
    /// Levels of the expression that was read last.
    var height = 0
    var loopCount = 0

    /// Expressions and statements within each other that are read; no template of a model comes
    /// near, and each level takes stack.
    static let mostNested = 32
    static let mostLevels = 40

    static func parse(_ template: Bytes) throws(GraftError) -> Syntax {
        var parser = Parser(tokens: try Lexer.tokens(of: template))
        for (number, name) in parser.syntax.names.enumerated() { parser.numbers[name] = number }
        parser.syntax.body = try parser.statements(until: [])
        parser.syntax.functions = parser.syntax.names.map { Function(rawValue: text($0)) }
        return parser.syntax
    }

    private init(tokens: [Token]) { self.tokens = tokens }

    // MARK: Tokens

    var token: Token { tokens[min(position, tokens.count - 1)] }
    var following: Token { tokens[min(position + 1, tokens.count - 1)] }

    mutating func advance() { position += 1 }

    mutating func takes(symbol: String) -> Bool {
        guard token.isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func takes(name: String) -> Bool {
        guard token.isName(name) else { return false }
        advance()
        return true
    }

    mutating func expect(symbol: String) throws(GraftError) {
        guard takes(symbol: symbol) else { throw unexpectedToken("\"\(symbol)\"") }
    }

    mutating func expectName() throws(GraftError) -> Bytes {
        let found = token
        guard found.kind == .name else { throw unexpectedToken("a name") }
        advance()
        return found.bytes
    }

    mutating func expect(_ kind: Token.Kind) throws(GraftError) {
        guard token.kind == kind else {
            throw unexpectedToken(kind == .blockEnd ? "the end of the block, %}" : "the end of the expression, }}")
        }
        advance()
    }

    func unexpectedToken(_ expected: String) -> GraftError {
        let found =
            switch token.kind {
            case .data: "text"
            case .variableBegin: "{{"
            case .variableEnd: "}}"
            case .blockBegin: "{%"
            case .blockEnd: "%}"
            case .end: "the end of the template"
            case .string: "a string"
            default: "\"\(brief(token.bytes))\""
            }
        return fail("expected \(expected), found \(found)")
    }

    func fail(_ message: String) -> GraftError { TemplateError(.corruptFile, message, line: token.line).error }

    func unsupported(_ construct: String) -> GraftError {
        TemplateError(.unsupported, construct + " is not supported", line: token.line).error
    }

    mutating func number(of name: Bytes) -> Int {
        if let known = numbers[name] { return known }
        let number = syntax.names.count
        syntax.names.append(name)
        numbers[name] = number
        return number
    }

    mutating func enter() throws(GraftError) {
        nesting += 1
        guard nesting <= Self.mostNested else {
            throw TemplateError(.unsupported, "nested deeper than \(Self.mostNested) levels", line: token.line).error
        }
        try Memory.check()
    }

    /// One level above expressions of this height.
    mutating func grow(_ below: Int) throws(GraftError) {
        height = below + 1
        guard height <= Self.mostLevels else {
            throw TemplateError(
                .unsupported, "an expression of more than \(Self.mostLevels) levels", line: token.line
            ).error
        }
    }

    // MARK: Statements

    /// Up to a block that begins with one of the words, which is left to be read; without any up to
    /// the end of the template.
    mutating func statements(until ends: [String]) throws(GraftError) -> [Statement] {
        var body: [Statement] = []
        while true {
            let current = token
            switch current.kind {
            case .data:
                body.append(.text(current.bytes))
                advance()
            case .variableBegin:
                advance()
                body.append(.output(try tuple(), line: current.line))
                try expect(.variableEnd)
            case .blockBegin:
                advance()
                if ends.contains(where: { token.isName($0) }) { return body }
                body += try statement()
                try expect(.blockEnd)
            default:
                guard ends.isEmpty else { throw unexpectedToken("a block with \(ends.joined(separator: " or "))") }
                return body
            }
        }
    }

    /// The statements of a block up to its end, whose word is taken.
    mutating func block(_ end: String) throws(GraftError) -> [Statement] {
        let body = try openBlock([end])
        advance()
        return body
    }

    mutating func openBlock(_ ends: [String]) throws(GraftError) -> [Statement] {
        _ = takes(symbol: ":")
        try expect(.blockEnd)
        return try statements(until: ends)
    }

    mutating func statement() throws(GraftError) -> [Statement] {
        try enter()
        defer { nesting -= 1 }
        let line = token.line
        let word = try expectName()
        switch text(word) {
        case "if": return [try branches()]
        case "for": return [try loop(line)]
        case "set": return [try set(line)]
        case "macro": return [try macro(line)]
        case "call": return [try callBlock(line)]
        case "filter": return [try filterBlock()]
        case "with": return [try with(line)]
        case "generation":
            syntax.hasGeneration = true
            return [.generation(try block("endgeneration"))]
        case "print":
            var outputs: [Statement] = []
            while token.kind != .blockEnd {
                if !outputs.isEmpty { try expect(symbol: ",") }
                outputs.append(.output(try expression(), line: line))
            }
            return outputs
        case "break", "continue":
            guard loopCount > 0 else { throw fail("\(text(word)) outside of a loop") }
            return [text(word) == "break" ? .stop : .next]
        case "block", "extends", "include", "import", "from", "autoescape", "do", "trans", "debug":
            throw unsupported("the statement {% \(text(word)) %}")
        default:
            throw TemplateError(.unsupported, "the statement {% \(brief(word)) %} is not known", line: line).error
        }
    }

    mutating func branches() throws(GraftError) -> Statement {
        var branches: [Branch] = []
        while true {
            let line = token.line
            let test = try tuple(allowsConditional: false)
            branches.append(Branch(test: test, body: try openBlock(["elif", "else", "endif"]), line: line))
            if takes(name: "elif") { continue }
            if takes(name: "else") {
                branches.append(Branch(test: nil, body: try block("endif"), line: line))
            } else {
                advance()
            }
            return .branches(branches)
        }
    }

    mutating func loop(_ line: Int) throws(GraftError) -> Statement {
        let target = try target(endsAtIn: true)
        if Self.names(in: target).contains(number(of: utf8("loop"))) { throw fail("a loop cannot assign to loop") }
        guard takes(name: "in") else { throw unexpectedToken("in") }
        let iterated = try tuple(allowsConditional: false, end: "recursive")
        let condition = takes(name: "if") ? try expression() : nil
        let isRecursive = takes(name: "recursive")
        loopCount += 1
        let body = try openBlock(["endfor", "else"])
        loopCount -= 1
        let otherwise: [Statement] = takes(name: "else") ? try block("endfor") : []
        if otherwise.isEmpty { _ = takes(name: "endfor") }
        return .loop(
            LoopNode(
                target, iterated, condition: condition, isRecursive: isRecursive, body, otherwise: otherwise, line: line
            ))
    }

    private static func names(in target: Target) -> [Int] {
        switch target {
        case .name(let name): [name]
        case .attribute: []
        case .tuple(let targets): targets.flatMap { names(in: $0) }
        }
    }

    mutating func set(_ line: Int) throws(GraftError) -> Statement {
        let target = try target(allowsAttributes: true)
        if takes(symbol: "=") { return .set(target, try tuple(), line: line) }
        let filters = try blockFilters()
        return .capture(target, filters, try block("endset"), line: line)
    }

    mutating func blockFilters() throws(GraftError) -> [FilterNode] {
        var filters: [FilterNode] = []
        while takes(symbol: "|") { filters.append(try filter(nil)) }
        return filters
    }

    mutating func filterBlock() throws(GraftError) -> Statement {
        let filters = [try filter(nil)] + (try blockFilters())
        return .filtered(filters, try block("endfilter"))
    }

    mutating func with(_ line: Int) throws(GraftError) -> Statement {
        var assigned: [(target: Target, value: Expression)] = []
        while token.kind != .blockEnd, !token.isSymbol(":") {
            if !assigned.isEmpty { try expect(symbol: ",") }
            let target = try target()
            try expect(symbol: "=")
            assigned.append((target, try expression()))
        }
        return .with(assigned, try block("endwith"), line: line)
    }

    mutating func macro(_ line: Int) throws(GraftError) -> Statement {
        let name = try expectName()
        let parameters = try parameters()
        return .macro(try macroNode(number(of: name), name, parameters, end: "endmacro", line))
    }

    mutating func macroNode(
        _ name: Int?, _ spelling: Bytes, _ parameters: [(name: Int, spelling: Bytes, standard: Expression?)],
        end: String, _ line: Int
    ) throws(GraftError) -> MacroNode {
        let start = position
        let outerLoops = loopCount
        loopCount = 0
        let body = try block(end)
        loopCount = outerLoops
        let words = tokens[start..<position].filter { $0.kind == .name }.map(\.bytes)
        return MacroNode(name, spelling, parameters, body, line: line, speaksOf: Set(words))
    }

    mutating func parameters() throws(GraftError) -> [(name: Int, spelling: Bytes, standard: Expression?)] {
        var parameters: [(name: Int, spelling: Bytes, standard: Expression?)] = []
        try expect(symbol: "(")
        while !token.isSymbol(")") {
            if !parameters.isEmpty { try expect(symbol: ",") }
            let name = try expectName()
            let standard = takes(symbol: "=") ? try expression() : nil
            if standard == nil, parameters.last?.standard != nil {
                throw fail("a parameter without a default follows one that has one")
            }
            parameters.append((number(of: name), name, standard))
        }
        advance()
        return parameters
    }

    mutating func callBlock(_ line: Int) throws(GraftError) -> Statement {
        let parameters = token.isSymbol("(") ? try parameters() : []
        guard case .call(let call) = try expression() else { throw fail("expected a call of a macro") }
        return .call(call, try macroNode(nil, utf8("caller"), parameters, end: "endcall", line))
    }

    // MARK: Targets

    mutating func target(
        allowsAttributes: Bool = false, endsAtIn: Bool = false
    ) throws(GraftError) -> Target {
        try enter()
        defer { nesting -= 1 }
        var targets: [Target] = []
        var isTuple = false
        while true {
            if !targets.isEmpty { try expect(symbol: ",") }
            if isTuple, token.isSymbol(")") || token.isSymbol("=") || token.kind == .blockEnd || token.isName("in") {
                break
            }
            targets.append(try singleTarget(allowsAttributes: allowsAttributes))
            guard token.isSymbol(",") else { break }
            isTuple = true
        }
        return isTuple ? .tuple(targets) : targets[0]
    }

    mutating func singleTarget(allowsAttributes: Bool) throws(GraftError) -> Target {
        if takes(symbol: "(") {
            let inner = try target(allowsAttributes: allowsAttributes)
            try expect(symbol: ")")
            return inner
        }
        let name = try expectName()
        if ["true", "false", "none", "True", "False", "None"].contains(text(name)) {
            throw fail("cannot assign to \(text(name))")
        }
        if loopCount > 0, name == utf8("loop") { throw fail("a loop cannot assign to loop") }
        guard allowsAttributes, takes(symbol: ".") else { return .name(number(of: name)) }
        return .attribute(number(of: name), try expectName())
    }
}
