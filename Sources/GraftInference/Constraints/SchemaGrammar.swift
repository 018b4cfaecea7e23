import GraftFormats
import GraftTensor
import GraftTokenizers

/// The rules of a JSON schema (2020-12): for each schema in it a rule, for each property of an
/// object another two, one where members are before it and one where none are.
///
/// What is generated is valid. Not all that is valid is generated: properties come in the order of
/// the schema, and others only where it lists none. What would need more than that is refused by
/// its name.
struct SchemaGrammar {
    private var rules: [TextPattern] = []
    private let root: JSON
    /// The schema of each rule that is still to be made.
    private var open: [(rule: Int, schema: JSON)] = []
    /// By pointers, as bytes.
    private var referenced: [[UInt8]: Int] = [:]
    private var anything: Int?

    private static let mostRules = 1 << 14

    /// Those that say nothing of what a value is.
    private static let annotations: Set<String> = [
        "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "format", "$schema",
        "$id", "$comment", "$defs", "definitions", "contentEncoding", "contentMediaType",
    ]
    /// Those of a value of one type, by the type.
    private static let ofTypes: [(type: String, keywords: Set<String>)] = [
        ("object", ["properties", "required", "additionalProperties"]),
        ("array", ["items", "minItems", "maxItems", "uniqueItems"]),
        ("string", ["pattern", "minLength", "maxLength"]),
        ("integer", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]), ("number", []), ("boolean", []),
        ("null", []),
    ]
    /// Those that say all that their schema says.
    private static let whole = ["$ref", "enum", "const", "anyOf", "oneOf", "allOf"]

    static func rules(_ schema: JSON) throws(GraftError) -> [TextPattern] {
        var grammar = SchemaGrammar(root: schema)
        grammar.referenced[Array("#".utf8)] = try grammar.add(schema)
        while let (rule, schema) = grammar.open.popLast() {
            try Memory.check()
            grammar.rules[rule] = try grammar.pattern(schema)
        }
        return grammar.rules
    }

    private init(root: JSON) { self.root = root }

    // MARK: Rules

    private mutating func add(_ pattern: TextPattern) throws(GraftError) -> Int {
        guard rules.count < Self.mostRules else {
            throw GraftError(.unsupported, "the schema has more than \(Self.mostRules) schemas and properties in it")
        }
        rules.append(pattern)
        return rules.count - 1
    }

    /// A rule for a schema, made later.
    private mutating func add(_ schema: JSON) throws(GraftError) -> Int {
        let rule = try add(.choice([]))
        open.append((rule, schema))
        return rule
    }

    /// Any value at all.
    private mutating func value() throws(GraftError) -> TextPattern {
        if let anything { return .rule(anything) }
        let rule = try add(.choice([]))
        anything = rule
        rules[rule] = .choice([
            JSONTexts.object(of: .rule(rule)), JSONTexts.array(of: .rule(rule), least: 0, most: nil),
            JSONTexts.quoted(.any(JSONTexts.character(of: .all))), JSONTexts.number, .text("true"), .text("false"),
            .text("null"),
        ])
        return .rule(rule)
    }

    // MARK: Schemas

    private func refused(_ schema: JSONObject, _ what: String) -> GraftError {
        GraftError(.unsupported, "\(schema.place?.description ?? "constraint"): \(what) is not supported")
    }

    private func quoted(_ key: String) -> String { JSON.string(key).shortText }

    private mutating func pattern(_ schema: JSON) throws(GraftError) -> TextPattern {
        switch schema {
        case .bool(let isAny): return isAny ? try value() : .choice([])
        case .object(let members): return try pattern(members)
        default:
            throw GraftError(
                .invalidArgument,
                "constraint: expected a schema, which is an object, true or false; found \(schema.kind)")
        }
    }

    private mutating func pattern(_ schema: JSONObject) throws(GraftError) -> TextPattern {
        let keywords = schema.keys.filter { !Self.annotations.contains($0) }
        if let whole = Self.whole.first(where: { schema[$0] != nil }) {
            // Of listed values those of another type never come.
            let isList = whole == "enum" || whole == "const"
            if let other = keywords.first(where: { $0 != whole && !(isList && $0 == "type") }) {
                throw refused(schema, "\(quoted(other)) beside \(quoted(whole))")
            }
            return try pattern(ofWhole: whole, schema)
        }
        let known = Self.ofTypes.reduce(["type"]) { $0.union($1.keywords) } as Set<String>
        if let other = keywords.first(where: { !known.contains($0) }) { throw refused(schema, quoted(other)) }
        var types = try types(of: schema)
        if types.isEmpty {
            types =
                Self.ofTypes.first { type in keywords.contains { type.keywords.contains($0) } }.map { [$0.type] } ?? []
        }
        if types.isEmpty { return try value() }
        var all: [TextPattern] = []
        for type in types { all.append(try pattern(ofType: type, schema)) }
        return .choice(all)
    }

    /// What a keyword says alone.
    private mutating func pattern(ofWhole keyword: String, _ schema: JSONObject) throws(GraftError) -> TextPattern {
        switch keyword {
        case "$ref":
            let pointer = try schema.string(keyword)
            if let known = referenced[Array(pointer.utf8)] { return .rule(known) }
            let rule = try add(try referencedSchema(pointer, schema))
            referenced[Array(pointer.utf8)] = rule
            return .rule(rule)
        case "const": return try constants([schema[keyword] ?? .null], schema)
        case "enum": return try constants(try schema.array(keyword), schema)
        default:
            let schemas = try schema.array(keyword)
            guard !schemas.isEmpty else { throw schema.unexpected(keyword, expected: "at least one schema") }
            if keyword == "allOf" && schemas.count > 1 { throw refused(schema, "\"allOf\" of several schemas") }
            var all: [TextPattern] = []
            for alternative in schemas { all.append(.rule(try add(alternative))) }
            return .choice(all)
        }
    }

    /// The schema that a reference within the same text names, a JSON pointer (RFC 6901).
    private func referencedSchema(_ pointer: String, _ schema: JSONObject) throws(GraftError) -> JSON {
        var found = root
        var steps = pointer.split(separator: "/", omittingEmptySubsequences: false)
        guard steps.removeFirst() == "#" else {
            throw refused(schema, "the reference \(quoted(pointer)), to another text,")
        }
        for step in steps {
            // "~1" stands for "/", and "~0" for "~".
            let parts = step.split(separator: "~", omittingEmptySubsequences: false)
            let key = parts.dropFirst().reduce(String(parts[0])) {
                $0 + ($1.hasPrefix("1") ? "/" : "~") + $1.dropFirst()
            }
            let element = Int(key).flatMap { index in
                found.arrayValue.flatMap { $0.indices.contains(index) ? $0[index] : nil }
            }
            guard let next = found[key] ?? element else {
                throw schema.unexpected("$ref", expected: "a reference to a place in the schema")
            }
            found = next
        }
        return found
    }

    private func constants(_ values: [JSON], _ schema: JSONObject) throws(GraftError) -> TextPattern {
        let types = Set(try types(of: schema))
        return .choice(
            values.filter { types.isEmpty || !types.isDisjoint(with: Self.types(of: $0)) }.map(JSONTexts.value))
    }

    // MARK: Types

    private func types(of schema: JSONObject) throws(GraftError) -> [String] {
        guard let value = schema["type"] else { return [] }
        let names = value.stringValue.map { [$0] } ?? value.arrayValue?.map { $0.stringValue ?? "" } ?? []
        guard !names.isEmpty, names.allSatisfy({ name in Self.ofTypes.contains { $0.type == name } }) else {
            throw schema.unexpected(
                "type", expected: "one or several of \(Self.ofTypes.map(\.type).joined(separator: ", "))")
        }
        return names
    }

    private static func types(of value: JSON) -> [String] {
        switch value {
        case .null: ["null"]
        case .bool: ["boolean"]
        case .string: ["string"]
        case .array: ["array"]
        case .object: ["object"]
        case .number: value.intValue != nil ? ["integer", "number"] : ["number"]
        }
    }

    private mutating func pattern(ofType type: String, _ schema: JSONObject) throws(GraftError) -> TextPattern {
        switch type {
        case "object": try object(schema)
        case "array": try array(schema)
        case "string": try string(schema)
        case "integer": try integer(schema)
        case "number": try number(schema)
        case "boolean": .choice([.text("true"), .text("false")])
        default: .text("null")
        }
    }

    private func integer(_ schema: JSONObject) throws(GraftError) -> TextPattern {
        func limit(_ key: String, beyond other: String, _ step: Int) throws(GraftError) -> Int? {
            let limits = [try schema.optionalInt(key), try schema.optionalInt(other).map { $0 &+ step }]
            return step > 0 ? limits.compactMap { $0 }.max() : limits.compactMap { $0 }.min()
        }
        let low = try limit("minimum", beyond: "exclusiveMinimum", 1)
        let high = try limit("maximum", beyond: "exclusiveMaximum", -1)
        return low == nil && high == nil ? JSONTexts.integer : IntegerRange.pattern(low, high)
    }

    private func number(_ schema: JSONObject) throws(GraftError) -> TextPattern {
        if let limit = Self.ofTypes.first(where: { $0.type == "integer" })?.keywords.first(where: { schema[$0] != nil })
        {
            throw refused(schema, "\(quoted(limit)) of a number that need not be an integer")
        }
        return JSONTexts.number
    }

    /// A count and a larger one, or no limit.
    private func counts(_ schema: JSONObject, _ least: String, _ most: String) throws(GraftError) -> (Int, Int?) {
        let (smallest, largest) = (try schema.optionalInt(least) ?? 0, try schema.optionalInt(most))
        guard smallest >= 0 else { throw schema.unexpected(least, expected: "0 or more") }
        guard largest ?? smallest >= smallest else { throw schema.unexpected(most, expected: "at least \(smallest)") }
        // Beyond that there is no room for the nodes.
        return (min(smallest, 1 << 20), largest.map { min($0, 1 << 20) })
    }

    private func string(_ schema: JSONObject) throws(GraftError) -> TextPattern {
        let (least, most) = try counts(schema, "minLength", "maxLength")
        guard let expression = try schema.optionalString("pattern") else {
            return JSONTexts.quoted(.repeated(JSONTexts.character(of: .all), least: least, most: most))
        }
        if schema["minLength"] != nil || schema["maxLength"] != nil {
            throw refused(schema, "\"pattern\" beside \"minLength\" or \"maxLength\", in place of {m,n} in it,")
        }
        do throws(GraftError) {
            let pattern = try ExpressionParser.parse(expression, isSearched: true, spell: JSONTexts.character)
            return JSONTexts.quoted(pattern)
        } catch {
            throw GraftError(error.code, "\(schema.place?.description ?? "constraint").pattern: \(error.message)")
        }
    }

    private mutating func array(_ schema: JSONObject) throws(GraftError) -> TextPattern {
        let (least, most) = try counts(schema, "minItems", "maxItems")
        if try schema.optionalBool("uniqueItems") == true { throw refused(schema, "\"uniqueItems\"") }
        let items: TextPattern
        if let schema = schema["items"] { items = .rule(try add(schema)) } else { items = try value() }
        return JSONTexts.array(of: items, least: least, most: most)
    }

    // MARK: Objects

    private mutating func object(_ schema: JSONObject) throws(GraftError) -> TextPattern {
        var properties = Array(try schema.optionalObject("properties") ?? JSONObject())
        let other = schema["additionalProperties"] ?? true
        let required = try schema.optionalStrings("required") ?? []
        var known = Set(properties.map { Array($0.key.utf8) })
        for name in required where known.insert(Array(name.utf8)).inserted { properties.append((name, other)) }
        if properties.isEmpty {
            if other == false { return .text("{}") }
            return JSONTexts.object(of: .rule(try add(other)))
        }
        let needed = Set(required.map { Array($0.utf8) })
        // From the last property to the first: what is behind it, where it has something before it
        // and where it has nothing.
        var (rest, first) = (TextPattern.text("}"), TextPattern.text("}"))
        for (key, schema) in properties.reversed() {
            let member = TextPattern.sequence([
                JSONTexts.value(.string(key)), JSONTexts.colon, .rule(try add(schema)),
            ])
            var behind = [TextPattern.sequence([JSONTexts.comma, member, rest])]
            var alone = [TextPattern.sequence([member, rest])]
            if !needed.contains(Array(key.utf8)) {
                behind.append(rest)
                alone.append(first)
            }
            (rest, first) = (.rule(try add(.choice(behind))), .rule(try add(.choice(alone))))
        }
        return .sequence([.text("{"), first])
    }
}
