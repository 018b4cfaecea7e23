import GraftTensor

extension Renderer {
    func evaluate(_ expression: Expression) throws(GraftError) -> Value {
        switch expression {
        case .constant(let value): return value
        case .name(let name): return value(of: name)
        default: break
        }
        try enter()
        let value = try compute(expression)
        leave()
        return value
    }

    private func compute(_ expression: Expression) throws(GraftError) -> Value {
        switch expression {
        case .constant(let value): return value
        case .name(let name): return value(of: name)
        case .attribute(let holder, let name): return try attribute(name, of: try evaluate(holder))
        case .item(let holder, let index): return try item(try evaluate(index), of: try evaluate(holder))
        case .slice(let holder, let start, let end, let step): return try slice(holder, start, end, step)
        case .call(let node): return try call(node, caller: nil)
        case .filter(let node):
            guard let operand = node.operand else { return .none }
            return try apply(node, to: try evaluate(operand))
        case .test(let node):
            guard let operand = node.operand else { return .none }
            return .bool(try test(node, of: try evaluate(operand)))
        case .not(let operand): return .bool(!(try evaluate(operand).isTrue))
        case .all(let operands): return try firstOf(operands, that: false)
        case .any(let operands): return try firstOf(operands, that: true)
        case .comparison(let first, let rest): return try compare(first, rest)
        case .arithmetic(let first, let rest): return try arithmetic(first, rest)
        case .concatenation(let operands): return try concatenate(operands)
        case .conditional(let test, let then, let otherwise):
            if try evaluate(test).isTrue { return try evaluate(then) }
            guard let otherwise else { return .undefined(Value.Undefined(name: [], reason: .branch)) }
            return try evaluate(otherwise)
        case .list(let elements): return try list(try evaluateAll(elements))
        case .tuple(let elements):
            let values = try evaluateAll(elements)
            return try made(.tuple(values), count: values.count)
        case .dictionary(let members): return try mapping(members)
        case .negative(let operand): return try signed(try evaluate(operand), isNegative: true)
        case .positive(let operand): return try signed(try evaluate(operand), isNegative: false)
        }
    }

    private func evaluateAll(_ expressions: [Expression]) throws(GraftError) -> [Value] {
        var values: [Value] = []
        for expression in expressions { values.append(try evaluate(expression)) }
        return values
    }

    /// `and` and `or`: the first operand whose truth decides, or the last.
    private func firstOf(_ operands: [Expression], that decides: Bool) throws(GraftError) -> Value {
        var value = Value.none
        for operand in operands {
            value = try evaluate(operand)
            if value.isTrue == decides { break }
        }
        return value
    }

    private func compare(
        _ first: Expression, _ rest: [(operation: Operation, operand: Expression)]
    ) throws(GraftError) -> Value {
        var left = try evaluate(first)
        for (operation, operand) in rest {
            let right = try evaluate(operand)
            guard try compares(operation, left, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    private func arithmetic(
        _ first: Expression, _ rest: [(operation: Operation, operand: Expression)]
    ) throws(GraftError) -> Value {
        var left = try evaluate(first)
        for (operation, operand) in rest { left = try combine(operation, left, try evaluate(operand)) }
        return left
    }

    private func concatenate(_ operands: [Expression]) throws(GraftError) -> Value {
        var whole = Bytes()
        for operand in operands {
            whole += try written(try evaluate(operand))
            try announce(whole.count)
        }
        return .string(whole)
    }

    private func mapping(_ members: [(key: Expression, value: Expression)]) throws(GraftError) -> Value {
        var found: [Dictionary.Member] = []
        for (key, value) in members { found.append((try hashable(try evaluate(key)), try evaluate(value))) }
        return try mapping(of: found)
    }

    func mapping(of members: [Dictionary.Member]) throws(GraftError) -> Value {
        // Keys other than texts are compared with each other.
        for (key, _) in members {
            if case .string = key { continue }
            try charge(try times(members.count, key.weight))
        }
        return try made(.dictionary(Dictionary(members)), count: members.count)
    }

    /// A member, by any key.
    func find(_ key: Value, in dictionary: Dictionary) throws(GraftError) -> Value? {
        if case .string(let name) = key { return dictionary[name] }
        // Other keys are compared with each.
        try charge(try times(dictionary.members.count, key.weight))
        return dictionary[try hashable(key)]
    }

    /// How much it is to do something so often.
    func times(_ count: Int, _ weight: Int) throws(GraftError) -> Int {
        let (work, overflow) = count.multipliedReportingOverflow(by: weight)
        return overflow ? mostWork + 1 : work
    }

    func hashable(_ key: Value) throws(GraftError) -> Value {
        switch key {
        case .elements(let elements) where elements.kind == .list: break
        case .dictionary: break
        default: return key
        }
        throw unexpected("\(key.kind) cannot be a key")
    }

    // MARK: Parts of a value

    func attribute(_ name: Bytes, of holder: Value) throws(GraftError) -> Value {
        switch holder {
        case .dictionary(let dictionary):
            // A mapping's methods come before its members.
            if let method = method(name, of: holder) { return method }
            return dictionary[name] ?? missing(name)
        case .namespace(let namespace): return namespace[name] ?? missing(name)
        case .loop(let loop): return loopAttribute(text(name), of: loop) ?? missing(name)
        case .undefined(let undefined): throw error(of: undefined)
        case .macro(let macro) where name == utf8("name"): return .string(macro.node.spelling)
        case .function(.cycler), .function(.joiner): return missing(name)
        default: return method(name, of: holder) ?? missing(name)
        }
    }

    private func missing(_ name: Bytes) -> Value { .undefined(Value.Undefined(name: name, reason: .attribute)) }

    private func loopAttribute(_ name: String, of loop: Loop) -> Value? {
        let count = loop.elements.values.count
        switch name {
        case "index": return .integer(loop.index + 1)
        case "index0": return .integer(loop.index)
        case "revindex": return .integer(count - loop.index)
        case "revindex0": return .integer(count - loop.index - 1)
        case "first": return .bool(loop.index == 0)
        case "last": return .bool(loop.index + 1 == count)
        case "length": return .integer(count)
        case "depth": return .integer(loop.depth + 1)
        case "depth0": return .integer(loop.depth)
        case "previtem": return loop.index > 0 ? loop.elements.values[loop.index - 1] : missing(utf8(name))
        case "nextitem": return loop.index + 1 < count ? loop.elements.values[loop.index + 1] : missing(utf8(name))
        case "cycle", "changed": return .method(Method(.loop(loop), utf8(name)))
        default: return nil
        }
    }

    func item(_ index: Value, of holder: Value) throws(GraftError) -> Value {
        let found: Value?
        switch holder {
        case .dictionary(let dictionary): found = try find(index, in: dictionary)
        case .elements(let elements) where elements.isSequence:
            found = index.whole.flatMap { Self.place($0, of: elements.values.count) }.map { elements.values[$0] }
        case .string(let text):
            try charge(text.count / 16)
            found = index.whole.flatMap { Self.character($0, of: text) }.map { .string($0) }
        case .undefined(let undefined): throw error(of: undefined)
        default: found = nil
        }
        if let found { return found }
        if case .string(let name) = index {
            if case .dictionary = holder { return method(name, of: holder) ?? missing(name) }
            return try attribute(name, of: holder)
        }
        return .undefined(Value.Undefined(name: (try? written(index)) ?? [], reason: .element))
    }

    private static func place(_ index: Int, of count: Int) -> Int? {
        let place = index < 0 ? index &+ count : index
        return 0..<count ~= place ? place : nil
    }

    private static func character(_ index: Int, of text: Bytes) -> Bytes? {
        let count = index < 0 ? text.scalarCount : 0
        let place = index < 0 ? index &+ count : index
        guard place >= 0 else { return nil }
        let start = text.byte(ofScalar: place)
        guard start < text.count else { return nil }
        return text.part(start..<start + text.scalar(at: start).length)
    }

    private func slice(
        _ holder: Expression, _ start: Expression?, _ end: Expression?, _ step: Expression?
    ) throws(GraftError) -> Value {
        let holder = try evaluate(holder)
        let bounds = (try bound(start), try bound(end), try bound(step) ?? 1)
        guard bounds.2 != 0 else { throw unexpected("the step of a slice is 0") }
        switch holder {
        case .string(let text):
            try charge(text.count)
            if bounds.2 == 1, text.allSatisfy({ $0 < 0x80 }) {
                let places = Self.range(bounds.0, bounds.1, of: text.count)
                return .string(places.isEmpty ? [] : text.part(places))
            }
            let scalars = text.scalars
            var part = Bytes()
            for place in Self.places(bounds, of: scalars.count) { part.append(scalar: scalars[place]) }
            return .string(part)
        case .elements(let elements) where elements.isSequence:
            let values = Self.places(bounds, of: elements.values.count).map { elements.values[$0] }
            let kind: Elements.Kind = elements.kind == .tuple ? .tuple : .list
            return try made(.elements(Elements(kind, values)), count: values.count)
        case .undefined(let undefined): throw error(of: undefined)
        default: throw unexpected("a slice of \(holder.kind)")
        }
    }

    private func bound(_ expression: Expression?) throws(GraftError) -> Int? {
        guard let expression else { return nil }
        let value = try evaluate(expression)
        if case .none = value { return nil }
        guard let whole = value.whole else { throw unexpected("a slice: expected an integer, found \(value.kind)") }
        return whole
    }

    private static func range(_ start: Int?, _ end: Int?, of count: Int) -> Range<Int> {
        func clamped(_ bound: Int) -> Int { min(max(bound < 0 ? bound &+ count : bound, 0), count) }
        let lower = start.map(clamped) ?? 0
        return lower..<max(lower, end.map(clamped) ?? count)
    }

    /// Python's `range(*slice.indices(count))`.
    private static func places(_ bounds: (Int?, Int?, Int), of count: Int) -> [Int] {
        let (start, end, step) = bounds
        if step > 0 {
            let range = range(start, end, of: count)
            return step >= count && !range.isEmpty
                ? [range.lowerBound] : Array(stride(from: range.lowerBound, to: range.upperBound, by: step))
        }
        func clamped(_ bound: Int) -> Int { min(max(bound < 0 ? bound &+ count : bound, -1), count - 1) }
        let first = start.map(clamped) ?? count - 1
        let last = end.map(clamped) ?? -1
        return Array(stride(from: first, to: last, by: max(step, -count - 1)))
    }

    // MARK: Errors

    func error(of undefined: Value.Undefined) -> GraftError {
        let name = brief(undefined.name)
        return switch undefined.reason {
        case .name: unexpected("\"\(name)\" is undefined")
        case .attribute: unexpected("there is no attribute \"\(name)\"")
        case .element: unexpected("there is no element \(name)")
        case .parameter: unexpected("the parameter \"\(name)\" was not given")
        case .forbidden: unexpected("\"\(name)\" is not allowed: a template changes no list and no mapping")
        case .empty: unexpected("there is no element: the sequence is empty")
        case .branch: unexpected("an if without else has no value where its condition does not hold")
        }
    }

    /// What a loop goes through; the elements of a generator are gone then.
    func elements(of value: Value) throws(GraftError) -> [Value] {
        switch value {
        case .elements(let elements): return elements.taken()
        case .dictionary(let dictionary): return dictionary.members.map(\.key)
        case .undefined: return []
        case .string(let text):
            try charge(text.count &* 16)
            var (characters, position): ([Value], Int) = ([], 0)
            while position < text.count {
                let length = text.scalar(at: position).length
                characters.append(.string(text.part(position..<position + length)))
                position += length
            }
            return characters
        default: throw unexpected("\(value.kind) has no elements to go through")
        }
    }
}
