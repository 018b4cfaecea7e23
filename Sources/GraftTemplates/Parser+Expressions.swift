import GraftTensor

/// Expressions, from the loosest operators to names and literals.
extension Parser {
    /// One expression, or several with commas between.
    mutating func tuple(
        allowsConditional: Bool = true, end: String? = nil, inParentheses: Bool = false
    ) throws(GraftError) -> Expression {
        var elements: [Expression] = []
        var (isTuple, highest) = (false, 0)
        while true {
            if !elements.isEmpty { try expect(symbol: ",") }
            let isEnd = token.kind == .variableEnd || token.kind == .blockEnd || token.isSymbol(")")
            if isEnd || end.map({ token.isName($0) }) ?? false { break }
            elements.append(try expression(allowsConditional: allowsConditional))
            highest = max(highest, height)
            guard token.isSymbol(",") else { break }
            isTuple = true
        }
        if !isTuple {
            if let only = elements.first { return only }
            guard inParentheses else { throw unexpectedToken("an expression") }
        }
        try grow(highest)
        return .tuple(elements)
    }

    mutating func expression(allowsConditional: Bool = true) throws(GraftError) -> Expression {
        try enter()
        defer { nesting -= 1 }
        var result = try operators(from: .any)
        guard allowsConditional else { return result }
        while takes(name: "if") {
            var highest = height
            let test = try operators(from: .any)
            highest = max(highest, height)
            let otherwise = takes(name: "else") ? try expression() : nil
            if otherwise != nil { highest = max(highest, height) }
            try grow(highest)
            result = .conditional(test: test, then: result, else: otherwise)
        }
        return result
    }

    /// How tightly operators bind, the loosest first.
    private enum Rank: Int {
        case any, all, not, comparison, sum, concatenation, product, power, unary

        var tighter: Rank { Rank(rawValue: rawValue + 1) ?? .unary }
    }

    /// The operator that stands here, how tightly it binds, and of how many words it is.
    private var `operator`: (operation: Operation?, rank: Rank, words: Int)? {
        let current = token
        if current.kind == .name {
            return switch text(current.bytes) {
            case "or": (nil, .any, 1)
            case "and": (nil, .all, 1)
            case "in": (.isIn, .comparison, 1)
            case "not": following.isName("in") ? (.isNotIn, .comparison, 2) : nil
            default: nil
            }
        }
        guard current.kind == .symbol else { return nil }
        return switch text(current.bytes) {
        case "==": (.equal, .comparison, 1)
        case "!=": (.notEqual, .comparison, 1)
        case "<": (.less, .comparison, 1)
        case "<=": (.lessOrEqual, .comparison, 1)
        case ">": (.greater, .comparison, 1)
        case ">=": (.greaterOrEqual, .comparison, 1)
        case "+": (.add, .sum, 1)
        case "-": (.subtract, .sum, 1)
        case "~": (nil, .concatenation, 1)
        case "*": (.multiply, .product, 1)
        case "/": (.divide, .product, 1)
        case "//": (.floorDivide, .product, 1)
        case "%": (.modulo, .product, 1)
        case "**": (.power, .power, 1)
        default: nil
        }
    }

    private mutating func operators(from least: Rank) throws(GraftError) -> Expression {
        var left: Expression
        if least.rawValue <= Rank.not.rawValue, token.isName("not"), !following.isName("in") {
            try enter()
            defer { nesting -= 1 }
            advance()
            left = .not(try operators(from: .not))
            try grow(height)
        } else {
            left = try unary()
        }
        while let (_, rank, _) = `operator`, rank.rawValue >= least.rawValue {
            var highest = height
            var operands: [(operation: Operation, operand: Expression)] = []
            while let (operation, next, words) = `operator`, next == rank {
                for _ in 0..<words { advance() }
                let operand = rank == .power ? try unary() : try operators(from: rank.tighter)
                operands.append((operation ?? .add, operand))
                highest = max(highest, height)
            }
            try grow(highest)
            switch rank {
            case .any: left = .any([left] + operands.map(\.operand))
            case .all: left = .all([left] + operands.map(\.operand))
            case .concatenation: left = .concatenation([left] + operands.map(\.operand))
            case .comparison: left = .comparison(left, operands)
            default: left = .arithmetic(left, operands)
            }
        }
        return left
    }

    private mutating func unary(allowsFilters: Bool = true) throws(GraftError) -> Expression {
        var result: Expression
        if token.isSymbol("-") || token.isSymbol("+") {
            try enter()
            defer { nesting -= 1 }
            let isNegative = token.isSymbol("-")
            advance()
            let operand = try unary(allowsFilters: false)
            try grow(height)
            result = isNegative ? .negative(operand) : .positive(operand)
        } else {
            result = try primary()
        }
        result = try postfix(result)
        return allowsFilters ? try filters(result) : result
    }

    private mutating func primary() throws(GraftError) -> Expression {
        let current = token
        height = 1
        switch current.kind {
        case .name:
            advance()
            switch text(current.bytes) {
            case "true", "True": return .constant(.bool(true))
            case "false", "False": return .constant(.bool(false))
            case "none", "None": return .constant(.none)
            default: return .name(number(of: current.bytes))
            }
        case .string:
            var content = Bytes()
            while token.kind == .string {
                content += token.bytes
                advance()
            }
            return .constant(.string(content))
        case .integer:
            advance()
            return .constant(.integer(Int(text(current.bytes)) ?? 0))
        case .float:
            advance()
            return .constant(.float(Double(text(current.bytes)) ?? 0))
        default: break
        }
        if takes(symbol: "(") {
            let inner = try tuple(inParentheses: true)
            try expect(symbol: ")")
            return inner
        }
        if takes(symbol: "[") {
            var (elements, highest): ([Expression], Int) = ([], 0)
            while !token.isSymbol("]") {
                if !elements.isEmpty { try expect(symbol: ",") }
                if token.isSymbol("]") { break }
                elements.append(try expression())
                highest = max(highest, height)
            }
            advance()
            try grow(highest)
            return .list(elements)
        }
        guard takes(symbol: "{") else { throw unexpectedToken("an expression") }
        var (members, highest): ([(key: Expression, value: Expression)], Int) = ([], 0)
        while !token.isSymbol("}") {
            if !members.isEmpty { try expect(symbol: ",") }
            if token.isSymbol("}") { break }
            let key = try expression()
            highest = max(highest, height)
            try expect(symbol: ":")
            members.append((key, try expression()))
            highest = max(highest, height)
        }
        advance()
        try grow(highest)
        return .dictionary(members)
    }

    private mutating func postfix(_ start: Expression) throws(GraftError) -> Expression {
        var result = start
        while true {
            if takes(symbol: ".") {
                let current = token
                guard current.kind == .name || current.kind == .integer else {
                    throw unexpectedToken("a name or a number")
                }
                advance()
                try grow(height)
                result =
                    current.kind == .name
                    ? .attribute(result, current.bytes)
                    : .item(result, .constant(.integer(Int(text(current.bytes)) ?? 0)))
            } else if takes(symbol: "[") {
                result = try subscripted(result)
            } else if token.isSymbol("(") {
                result = try call(result)
            } else {
                return result
            }
        }
    }

    private mutating func call(_ callee: Expression) throws(GraftError) -> Expression {
        let (line, below) = (token.line, height)
        let arguments = try arguments()
        try grow(max(below, height))
        return .call(CallNode(callee, arguments, line: line))
    }

    private mutating func subscripted(_ container: Expression) throws(GraftError) -> Expression {
        var highest = height
        func ends(_ token: Token) -> Bool { token.isSymbol("]") || token.isSymbol(",") || token.isSymbol(":") }
        var parts: [Expression?] = []
        while true {
            if ends(token) {
                parts.append(nil)
            } else {
                parts.append(try expression())
                highest = max(highest, height)
            }
            guard parts.count < 3, takes(symbol: ":") else { break }
        }
        if token.isSymbol(",") { throw unsupported("an index of several parts") }
        try expect(symbol: "]")
        try grow(highest)
        if parts.count > 1 {
            return .slice(container, start: parts[0], end: parts[1], step: parts.count > 2 ? parts[2] : nil)
        }
        guard let index = parts[0] else { throw fail("expected an index between [ and ]") }
        return .item(container, index)
    }

    /// Sets `height` to that of the highest argument.
    private mutating func arguments() throws(GraftError) -> ArgumentNodes {
        var arguments = ArgumentNodes()
        var (isFirst, highest) = (true, 0)
        try expect(symbol: "(")
        while !token.isSymbol(")") {
            if !isFirst {
                try expect(symbol: ",")
                if token.isSymbol(")") { break }
            }
            isFirst = false
            if takes(symbol: "*") {
                guard arguments.list == nil, arguments.mapping == nil else { throw fail("a second list of arguments") }
                arguments.list = try expression()
            } else if takes(symbol: "**") {
                guard arguments.mapping == nil else { throw fail("a second mapping of arguments") }
                arguments.mapping = try expression()
            } else if token.kind == .name, following.isSymbol("=") {
                guard arguments.mapping == nil else { throw fail("an argument after **") }
                let name = try expectName()
                advance()
                arguments.named.append((name, try expression()))
            } else {
                guard arguments.named.isEmpty, arguments.list == nil, arguments.mapping == nil else {
                    throw fail("an argument without a name follows one that has one")
                }
                arguments.positional.append(try expression())
            }
            highest = max(highest, height)
        }
        advance()
        height = highest
        return arguments
    }

    private mutating func filters(_ start: Expression) throws(GraftError) -> Expression {
        var result = start
        while true {
            if takes(symbol: "|") {
                result = .filter(try filter(result))
            } else if token.isName("is") {
                result = try test(result)
            } else if token.isSymbol("(") {
                result = try call(result)
            } else {
                return result
            }
        }
    }

    private mutating func dottedName() throws(GraftError) -> Bytes {
        var name = try expectName()
        while takes(symbol: ".") { name += [ascii(".")] + (try expectName()) }
        return name
    }

    mutating func filter(_ operand: Expression?) throws(GraftError) -> FilterNode {
        let (line, below) = (token.line, operand == nil ? 0 : height)
        let name = try dottedName()
        height = 0
        let arguments = token.isSymbol("(") ? try arguments() : ArgumentNodes()
        try grow(max(below, height))
        return FilterNode(operand, text(name), arguments, line: line)
    }

    private mutating func test(_ operand: Expression) throws(GraftError) -> Expression {
        let (line, below) = (token.line, height)
        advance()
        let isNegated = takes(name: "not")
        let name = try dottedName()
        var arguments = ArgumentNodes()
        height = 0
        let current = token
        let isOperand =
            switch current.kind {
            case .name: !["else", "or", "and"].contains(text(current.bytes))
            case .string, .integer, .float: true
            case .symbol: current.isSymbol("[") || current.isSymbol("{")
            default: false
            }
        if current.isSymbol("(") {
            arguments = try self.arguments()
        } else if isOperand {
            if current.isName("is") { throw fail("tests cannot follow one another with is") }
            arguments.positional = [try postfix(try primary())]
        }
        try grow(max(below, height))
        let test = Expression.test(FilterNode(operand, text(name), arguments, line: line))
        guard isNegated else { return test }
        try grow(height)
        return .not(test)
    }
}
