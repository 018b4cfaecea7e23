import GraftTensor

/// Methods of texts, mappings and lists.
extension Renderer {
    private static let textMethods = names(
        "capitalize casefold center count encode endswith expandtabs find format format_map index isalnum isalpha isascii "
            + "isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join ljust lower lstrip "
            + "maketrans partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split "
            + "splitlines startswith strip swapcase title translate upper zfill")
    private static let mappingMethods = names("copy fromkeys get items keys values")
    private static let mappingChanges = names("clear pop popitem setdefault update")
    private static let listMethods = names("copy count index")
    private static let listChanges = names("append clear extend insert pop remove reverse sort")

    private static func names(_ text: String) -> Set<Bytes> { Set(PythonText.words(utf8(text), limit: -1)) }

    static func hasMethod(_ name: Bytes, _ receiver: Value) -> Bool {
        switch receiver {
        case .string: return textMethods.contains(name)
        case .dictionary: return mappingMethods.contains(name)
        case .elements(let elements):
            guard elements.isSequence, listMethods.contains(name) else { return false }
            return elements.kind == .list || name != utf8("copy")
        default: return false
        }
    }

    /// A method as a value; one that would change its value is undefined and says so when called.
    func method(_ name: Bytes, of receiver: Value) -> Value? {
        if Self.hasMethod(name, receiver) { return .method(Method(receiver, name)) }
        let changes: Set<Bytes>
        switch receiver {
        case .dictionary: changes = Self.mappingChanges
        case .elements(let elements) where elements.kind == .list: changes = Self.listChanges
        default: changes = []
        }
        let isPrivate = name.starts(with: utf8("__"))
        guard isPrivate || changes.contains(name) else { return nil }
        return .undefined(Value.Undefined(name: name, reason: .forbidden))
    }

    func callMethod(_ name: Bytes, of receiver: Value, _ arguments: Arguments) throws(GraftError) -> Value {
        let method = text(name)
        switch receiver {
        case .string(let content):
            try charge(content.count)
            return try callTextMethod(method, content, arguments)
        case .dictionary(let dictionary): return try callMethod(method, of: dictionary, arguments)
        case .elements(let elements): return try callMethod(method, of: elements, arguments)
        case .loop(let loop):
            if method == "changed" {
                for value in arguments.positional { try charge(value.weight) }
                defer { loop.lastChanged = arguments.positional }
                guard let last = loop.lastChanged, last.count == arguments.positional.count else { return .bool(true) }
                return .bool(!zip(last, arguments.positional).allSatisfy { equals($0, $1) })
            }
            guard !arguments.positional.isEmpty else { throw unexpected("cycle: expected values to go through") }
            return arguments.positional[loop.index % arguments.positional.count]
        default: throw unexpected("\(receiver.kind) has no method \(method)")
        }
    }

    private func callMethod(
        _ method: String, of dictionary: Dictionary, _ arguments: Arguments
    ) throws(GraftError) -> Value {
        let members = dictionary.members
        switch method {
        case "get":
            let found = try arguments.bound(method, "key default", required: 1)
            return try find(found[0] ?? .none, in: dictionary) ?? found[1] ?? .none
        case "items": return try items(of: dictionary)
        case "keys": return try made(.elements(Elements(.keys, members.map(\.key))), count: members.count)
        case "values": return try made(.elements(Elements(.values, members.map(\.value))), count: members.count)
        case "copy": return .dictionary(dictionary)
        default:
            let found = try arguments.bound(method, "iterable value", required: 1)
            var pairs: [Dictionary.Member] = []
            for key in try elements(of: found[0] ?? .none) { pairs.append((try hashable(key), found[1] ?? .none)) }
            return try mapping(of: pairs)
        }
    }

    func items(of dictionary: Dictionary) throws(GraftError) -> Value {
        let pairs = dictionary.members.map { Value.tuple([$0.key, $0.value]) }
        return try made(.elements(Elements(.items, pairs)), count: 2 * pairs.count)
    }

    private func callMethod(_ method: String, of elements: Elements, _ arguments: Arguments) throws(GraftError) -> Value
    {
        if method == "copy" { return .elements(elements) }
        let sought = try arguments.bound(method, "value", required: 1)[0] ?? .none
        try charge(try times(elements.values.count, sought.weight))
        if method == "count" { return .integer(elements.values.count { equals($0, sought) }) }
        guard let place = elements.values.firstIndex(where: { equals($0, sought) }) else {
            throw unexpected("index: the value is not there")
        }
        return .integer(place)
    }
}
