import GraftTensor

/// Filters of lists, mappings, and what else has elements.
extension Renderer {
    func applyToElements(_ filter: Filter, _ value: Value, _ given: [Value?]) throws(GraftError) -> Value {
        switch filter {
        case .length: return .integer(try length(of: value))
        case .first: return try first(of: value)
        case .last: return try last(of: value)
        case .reverse: return try reversed(value)
        case .list: return try list(try elements(of: value))
        case .join:
            var values = try elements(of: value)
            if let attribute = given[1] {
                values = try values.map { value throws(GraftError) in try part(attribute, of: value) }
            }
            return try joined(
                values, by: try given[0].map({ value throws(GraftError) in try written(value) }) ?? [], writes: true)
        case .sort:
            let values = try elements(of: value)
            let keys = try sortingKeys(values, given[2], isCaseSensitive: given[1].isTrue)
            return try list(try sorted(values, by: keys, reverse: given[0].isTrue))
        case .unique:
            var (kept, seen): ([Value], [Value]) = ([], [])
            for value in try elements(of: value) {
                let key = try hashable(try self.key(given[1], of: value, isCaseSensitive: given[0].isTrue))
                try charge(try times(seen.count, key.weight))
                if seen.contains(where: { equals($0, key) }) { continue }
                seen.append(key)
                kept.append(value)
            }
            return try generator(kept)
        case .min, .max: return try extreme(value, given, isLargest: filter == .max)
        case .sum:
            var total = given[1] ?? .integer(0)
            for value in try elements(of: value) {
                total = try combine(
                    .add, total, try given[0].map { name throws(GraftError) in try part(name, of: value) } ?? value)
            }
            return total
        case .dictsort: return try dictionarySorted(value, given)
        case .batch: return try batches(value, given)
        default: return try slices(value, given)
        }
    }

    private func generator(_ values: [Value]) throws(GraftError) -> Value {
        try made(.generator(values), count: values.count)
    }

    private func length(of value: Value) throws(GraftError) -> Int {
        switch value {
        case .string(let text): return text.scalarCount
        case .elements(let elements) where elements.hasLength: return elements.values.count
        case .dictionary(let dictionary): return dictionary.members.count
        case .loop(let loop): return loop.elements.values.count
        case .undefined: return 0
        default: throw unexpected("\(value.kind) has no length")
        }
    }

    private func first(of value: Value) throws(GraftError) -> Value {
        switch value {
        case .elements(let elements):
            if elements.kind == .generator { try charge(elements.values.count) }
            return elements.takenFirst() ?? Self.empty
        case .string(let text):
            return text.isEmpty ? Self.empty : .string(text.part(0..<text.scalar(at: 0).length))
        default: return try elements(of: value).first ?? Self.empty
        }
    }

    private static var empty: Value { .undefined(Value.Undefined(name: [], reason: .empty)) }

    private func last(of value: Value) throws(GraftError) -> Value {
        if case .elements(let elements) = value, elements.kind == .generator {
            throw unexpected("last: a generator has no last element; expected it to go through |list")
        }
        return try elements(of: value).last ?? Self.empty
    }

    private func reversed(_ value: Value) throws(GraftError) -> Value {
        if case .string(let content) = value {
            var out = Bytes()
            for scalar in content.scalars.reversed() { out.append(scalar: scalar) }
            return try made(out)
        }
        let values = Array(try elements(of: value).reversed())
        if case .elements(let elements) = value, elements.kind == .generator { return try list(values) }
        return try generator(values)
    }

    // MARK: Attributes

    /// What an attribute of several names, or an index, finds in a value.
    func part(_ attribute: Value, of value: Value, standard: Value? = nil) throws(GraftError) -> Value {
        var value = value
        var parts = [attribute]
        if case .string(let name) = attribute {
            parts = PythonText.split(name, by: [ascii(".")], limit: -1).map { part in
                let isNumber = !part.isEmpty && part.allSatisfy { 0x30...0x39 ~= $0 }
                return isNumber ? .integer(Int(text(part)) ?? .max) : .string(part)
            }
        } else if case .none = attribute {
            parts = []
        }
        for part in parts {
            value = try item(part, of: value)
            if value.isUndefined, let standard { value = standard }
        }
        return value
    }

    private func key(_ attribute: Value?, of value: Value, isCaseSensitive: Bool) throws(GraftError) -> Value {
        let found = try attribute.map { name throws(GraftError) in try part(name, of: value) } ?? value
        guard !isCaseSensitive, case .string(let text) = found else { return found }
        return .string(PythonText.cased(text, .lower))
    }

    /// Several attributes may stand with commas between.
    private func sortingKeys(
        _ values: [Value], _ attribute: Value?, isCaseSensitive: Bool
    ) throws(GraftError) -> [Value] {
        var attributes = [attribute]
        if case .some(.string(let names)) = attribute {
            attributes = PythonText.split(names, by: [ascii(",")], limit: -1).map { .string($0) }
        }
        var keys: [Value] = []
        for value in values {
            var parts: [Value] = []
            for attribute in attributes {
                parts.append(try key(attribute, of: value, isCaseSensitive: isCaseSensitive))
            }
            keys.append(parts.count == 1 ? parts[0] : .list(parts))
        }
        // Each is compared about as often as their count has binary digits.
        for key in keys { try charge(try times(64 - keys.count.leadingZeroBitCount, key.weight)) }
        return keys
    }

    private func extreme(_ value: Value, _ given: [Value?], isLargest: Bool) throws(GraftError) -> Value {
        var best: (value: Value, key: Value)?
        for value in try elements(of: value) {
            let key = try key(given[1], of: value, isCaseSensitive: given[0].isTrue)
            try charge(key.weight)
            if let best, !(isLargest ? try precedes(best.key, key) : try precedes(key, best.key)) { continue }
            best = (value, key)
        }
        return best?.value ?? Self.empty
    }

    private func dictionarySorted(_ value: Value, _ given: [Value?]) throws(GraftError) -> Value {
        guard case .dictionary(let dictionary) = value else {
            throw unexpected("dictsort: expected a mapping, found \(value.kind)")
        }
        let by = try given[1].bytes("by") ?? utf8("key")
        guard by == utf8("key") || by == utf8("value") else {
            throw unexpected("dictsort: expected by to be key or value, found \(brief(by))")
        }
        var keys: [Value] = []
        for (key, value) in dictionary.members {
            try charge(try times(16, (by == utf8("key") ? key : value).weight))
            keys.append(try self.key(nil, of: by == utf8("key") ? key : value, isCaseSensitive: given[0].isTrue))
        }
        let pairs = try elements(of: try items(of: dictionary))
        return try list(try sorted(pairs, by: keys, reverse: given[2].isTrue))
    }

    private func batches(_ value: Value, _ given: [Value?]) throws(GraftError) -> Value {
        guard let count = try given[0].whole("batch"), 1...mostWork ~= count else {
            throw unexpected("batch: expected a count from 1")
        }
        let values = try elements(of: value)
        var rows: [Value] = []
        for start in stride(from: 0, to: values.count, by: count) {
            var row = Array(values[start..<min(start + count, values.count)])
            if let fill = given[1], row.count < count {
                if case .none = fill {
                } else {
                    try charge(16 * (count - row.count))
                    row += Array(repeating: fill, count: count - row.count)
                }
            }
            rows.append(.list(row))
        }
        return try generator(rows)
    }

    private func slices(_ value: Value, _ given: [Value?]) throws(GraftError) -> Value {
        guard let count = try given[0].whole("slice"), 1...mostWork ~= count else {
            throw unexpected("slice: expected a count from 1")
        }
        let values = try elements(of: value)
        try charge(16 * count)
        let (least, longer) = values.count.quotientAndRemainder(dividingBy: count)
        var (rows, start): ([Value], Int) = ([], 0)
        for index in 0..<count {
            let end = start + least + (index < longer ? 1 : 0)
            var row = Array(values[start..<end])
            if let fill = given[1], index >= longer {
                if case .none = fill {} else { row.append(fill) }
            }
            rows.append(.list(row))
            start = end
        }
        return try generator(rows)
    }

    // MARK: One by one

    func map(_ value: Value, _ arguments: Arguments) throws(GraftError) -> Value {
        guard value.isTrue else { return .generator([]) }
        var mapped: [Value] = []
        if arguments.positional.isEmpty {
            let given = try arguments.bound("map", "attribute default")
            guard let attribute = given[0] else {
                throw unexpected("map: expected the name of a filter, or attribute=")
            }
            for value in try elements(of: value) { mapped.append(try part(attribute, of: value, standard: given[1])) }
        } else {
            guard case .string(let name) = arguments.positional[0] else {
                throw unexpected("map: expected the name of a filter")
            }
            let rest = Arguments(positional: Array(arguments.positional.dropFirst()), named: arguments.named)
            try enter()
            defer { leave() }
            for value in try elements(of: value) {
                try charge(8)
                mapped.append(try apply(text(name), to: value, rest))
            }
        }
        return try generator(mapped)
    }

    func select(_ filter: Filter, _ value: Value, _ arguments: Arguments) throws(GraftError) -> Value {
        guard value.isTrue else { return .generator([]) }
        var rest = arguments.positional
        var attribute: Value?
        if filter == .selectattr || filter == .rejectattr {
            guard !rest.isEmpty else { throw unexpected("selectattr: expected the name of an attribute") }
            attribute = rest.removeFirst()
        }
        var test: String?
        if !rest.isEmpty {
            guard case .string(let name) = rest.removeFirst() else {
                throw unexpected("select: expected the name of a test")
            }
            test = text(name)
        }
        let wanted = filter == .select || filter == .selectattr
        var kept: [Value] = []
        for value in try elements(of: value) {
            try charge(8)
            let found = try attribute.map { name throws(GraftError) in try part(name, of: value) } ?? value
            let holds = try test.map { name throws(GraftError) in try self.test(name, of: found, rest) } ?? found.isTrue
            if holds == wanted { kept.append(value) }
        }
        return try generator(kept)
    }
}
