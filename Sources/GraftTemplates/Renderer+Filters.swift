import GraftTensor

/// What stands after `|`.
extension Renderer {
    func apply(_ node: FilterNode, to value: Value) throws(GraftError) -> Value {
        let arguments = try arguments(node.arguments)
        line = node.line
        return try apply(node.name, to: value, arguments)
    }

    /// Filters by name, each with what it is and the names of its parameters.
    static let filters: [String: (filter: Filter, parameters: StaticString)] = [
        "abs": (.abs, ""), "attr": (.attr, "name"), "batch": (.batch, "linecount fill_with"),
        "capitalize": (.cased, ""), "center": (.center, "width"), "count": (.length, ""),
        "d": (.standard, "default_value boolean"), "default": (.standard, "default_value boolean"),
        "dictsort": (.dictsort, "case_sensitive by reverse"), "e": (.escape, ""), "escape": (.escape, ""),
        "first": (.first, ""), "float": (.float, "default"), "forceescape": (.escape, ""), "format": (.format, ""),
        "indent": (.indent, "width first blank"), "int": (.int, "default base"), "items": (.items, ""),
        "join": (.join, "d attribute"), "last": (.last, ""), "length": (.length, ""), "list": (.list, ""),
        "lower": (.cased, ""), "map": (.map, ""), "max": (.max, "case_sensitive attribute"),
        "min": (.min, "case_sensitive attribute"), "reject": (.reject, ""), "rejectattr": (.rejectattr, ""),
        "replace": (.replace, "old new count"), "reverse": (.reverse, ""), "round": (.round, "precision method"),
        "safe": (.string, ""), "select": (.select, ""), "selectattr": (.selectattr, ""),
        "slice": (.slice, "slices fill_with"), "sort": (.sort, "reverse case_sensitive attribute"),
        "string": (.string, ""), "sum": (.sum, "attribute start"), "title": (.title, ""),
        "tojson": (.tojson, "ensure_ascii indent separators sort_keys"), "trim": (.trim, "chars"),
        "truncate": (.truncate, "length killwords end leeway"), "unique": (.unique, "case_sensitive attribute"),
        "upper": (.cased, ""),
    ]

    enum Filter {
        case abs, attr, batch, cased, center, dictsort, escape, first, float, format, indent, int, items, join, last,
            length
        case list, map, max, min, reject, rejectattr, replace, reverse, round, select, selectattr, slice, sort, standard
        case string, sum, title, tojson, trim, truncate, unique
    }

    func apply(_ name: String, to value: Value, _ arguments: Arguments) throws(GraftError) -> Value {
        guard let (filter, parameters) = Self.filters[name] else {
            throw GraftError(.unsupported, "the filter \"\(brief(utf8(name)))\" is not known")
        }
        switch filter {
        case .map: return try map(value, arguments)
        case .select, .reject, .selectattr, .rejectattr: return try select(filter, value, arguments)
        case .format:
            guard arguments.named.isEmpty else {
                return try formatted(
                    try written(value), with: try mapping(of: arguments.named.map { (.string($0.name), $0.value) }))
            }
            return try formatted(try written(value), with: .tuple(arguments.positional))
        default: break
        }
        let given = try arguments.bound(name, parameters)
        switch filter {
        case .string: return try made(try written(value))
        case .cased, .title, .trim, .center, .escape, .replace, .indent, .truncate:
            return try applyToText(filter, name, value, given)
        case .abs, .int, .float, .round: return try applyToNumber(filter, value, given)
        case .standard: return value.isUndefined || given[1].isTrue && !value.isTrue ? given[0] ?? .string([]) : value
        case .tojson: return try json(value, given)
        case .attr:
            let name = try given[0].bytes("attr") ?? []
            if case .dictionary = value {
                return method(name, of: value) ?? .undefined(Value.Undefined(name: name, reason: .attribute))
            }
            return try attribute(name, of: value)
        case .items:
            if value.isUndefined { return .generator([]) }
            guard case .dictionary(let dictionary) = value else {
                throw unexpected("items: expected a mapping, found \(value.kind)")
            }
            return .generator(try elements(of: try items(of: dictionary)))
        default: return try applyToElements(filter, value, given)
        }
    }

    private func json(_ value: Value, _ given: [Value?]) throws(GraftError) -> Value {
        var indent: Bytes?
        switch given[1] {
        case nil, .some(.none): break
        case .some(.string(let text)): indent = text
        default: indent = Bytes(repeating: ascii(" "), count: max(0, min(try given[1].whole("indent") ?? 0, 1001)))
        }
        guard (indent?.count ?? 0) <= 1000 else { throw tooMuch("an indent of more than 1000 bytes") }
        var separators = (utf8(indent == nil ? ", " : ","), utf8(": "))
        if case .some(.elements(let elements)) = given[2], elements.values.count == 2 {
            separators = (try written(elements.values[0]), try written(elements.values[1]))
        }
        var writer = JSONWriter(
            escapesNonASCII: given[0].isTrue, indent: indent, separators: separators, sortsKeys: given[3].isTrue)
        try charge(value.weight)
        try writer.write(value)
        return try made(writer.out)
    }
}
