import GraftTensor

/// What stands after `is`.
extension Renderer {
    func test(_ node: FilterNode, of value: Value) throws(GraftError) -> Bool {
        let arguments = try arguments(node.arguments)
        line = node.line
        return try test(node.name, of: value, arguments.positional + arguments.named.map(\.value))
    }

    private static let operators: [String: Operation] = [
        "in": .isIn, "eq": .equal, "==": .equal, "equalto": .equal, "ne": .notEqual, "!=": .notEqual, "lt": .less,
        "<": .less, "lessthan": .less, "le": .lessOrEqual, "<=": .lessOrEqual, "gt": .greater, ">": .greater,
        "greaterthan": .greater, "ge": .greaterOrEqual, ">=": .greaterOrEqual,
    ]
    /// Tests without an argument.
    private static let names: Set<String> = [
        "defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number", "string", "mapping",
        "sequence", "iterable", "callable", "escaped", "lower", "upper", "odd", "even", "filter", "test",
    ]

    static func hasTest(_ name: String) -> Bool {
        operators[name] != nil || names.contains(name) || name == "sameas" || name == "divisibleby"
    }

    func test(_ name: String, of value: Value, _ arguments: [Value]) throws(GraftError) -> Bool {
        let isUnary = Self.names.contains(name)
        guard isUnary || Self.hasTest(name) else {
            throw GraftError(.unsupported, "the test \"\(brief(utf8(name)))\" is not known")
        }
        guard arguments.count == (isUnary ? 0 : 1) else {
            throw unexpected("the test \"\(name)\" takes \(isUnary ? "no argument" : "one argument")")
        }
        if let operation = Self.operators[name] { return try compares(operation, value, arguments[0]) }
        switch name {
        case "odd", "even", "divisibleby":
            let divisor = name == "divisibleby" ? arguments[0] : .integer(2)
            let rest = try combine(.modulo, value, divisor).number
            return rest == (name == "odd" ? 1 : 0)
        case "sameas": return Self.isSame(value, arguments[0])
        case "lower", "upper": return PythonText.holds(name == "lower" ? .lower : .upper, try written(value))
        case "filter", "test":
            guard case .string(let sought) = value else { return false }
            return name == "filter" ? Self.filters[text(sought)] != nil : Self.hasTest(text(sought))
        default: return Self.isOf(name, value)
        }
    }

    private static func isSame(_ left: Value, _ right: Value) -> Bool {
        switch (left, right) {
        case (.bool(let a), .bool(let b)): a == b
        case (.bool, _), (_, .bool): false
        case (.integer, .float), (.float, .integer): false
        default: equals(left, right)
        }
    }

    private static func isOf(_ name: String, _ value: Value) -> Bool {
        switch (name, value) {
        case ("defined", _): !value.isUndefined
        case ("undefined", _): value.isUndefined
        case ("none", .none): true
        case ("boolean", .bool): true
        case ("true", .bool(let value)): value
        case ("false", .bool(let value)): !value
        case ("integer", .integer), ("integer", .longInteger): true
        case ("float", .float): true
        case ("number", .bool), ("number", .integer), ("number", .longInteger), ("number", .float): true
        case ("string", .string): true
        case ("mapping", .dictionary): true
        case ("sequence", .elements(let elements)): elements.isSequence
        case ("sequence", .string), ("sequence", .dictionary), ("sequence", .undefined): true
        case ("iterable", .elements), ("iterable", .string), ("iterable", .dictionary), ("iterable", .undefined): true
        case ("iterable", .loop): true
        case ("callable", .function), ("callable", .macro), ("callable", .method), ("callable", .loop): true
        case ("callable", .undefined): true
        default: false
        }
    }
}
