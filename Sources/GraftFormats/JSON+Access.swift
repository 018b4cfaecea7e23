import GraftTensor

/// Typed access to members. `int("x")` wants the member and its type; `optionalInt("x")` takes a
/// missing member or null as nil. Errors say the file, the path of keys, what was expected and what
/// was found.
package protocol JSONMembers {
    func requireObject() throws(GraftError) -> JSONObject
}

extension JSONObject: JSONMembers {
    package func requireObject() throws(GraftError) -> JSONObject { self }
}

extension JSON: JSONMembers {
    package func requireObject() throws(GraftError) -> JSONObject { try object("") }

    /// - Parameter place: what holds the value, for the message: a file or an argument.
    package func requireObject(in place: String) throws(GraftError) -> JSONObject { try object(place + ": ") }

    private func object(_ place: String) throws(GraftError) -> JSONObject {
        guard case .object(let object) = self else {
            throw GraftError(.corruptFile, "\(place)expected a JSON object, found \(kind)")
        }
        return object
    }

    /// The member's value, or nil: not an object, or no such member.
    package subscript(key: String) -> JSON? {
        guard case .object(let object) = self else { return nil }
        return object[key]
    }

    package var isNull: Bool { self == .null }

    package var stringValue: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The number, if it is an integer of 64 bits written as one.
    package var intValue: Int? {
        guard case .number(let text) = self else { return nil }
        return Int(text)
    }

    /// The number as a 64-bit float; nil beyond its range.
    package var doubleValue: Double? {
        guard case .number(let text) = self, let value = Double(text), value.isFinite else { return nil }
        return value
    }

    package var boolValue: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    package var arrayValue: [JSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    package var objectValue: JSONObject? {
        guard case .object(let object) = self else { return nil }
        return object
    }
}

extension JSONMembers {
    package func string(_ key: String) throws(GraftError) -> String {
        try required(key, "a string", \.stringValue)
    }

    package func int(_ key: String) throws(GraftError) -> Int {
        try required(key, "an integer", \.intValue)
    }

    package func double(_ key: String) throws(GraftError) -> Double {
        try required(key, "a number", \.doubleValue)
    }

    package func bool(_ key: String) throws(GraftError) -> Bool {
        try required(key, "true or false", \.boolValue)
    }

    package func array(_ key: String) throws(GraftError) -> [JSON] {
        try required(key, "an array", \.arrayValue)
    }

    package func object(_ key: String) throws(GraftError) -> JSONObject {
        try required(key, "an object", \.objectValue)
    }

    package func strings(_ key: String) throws(GraftError) -> [String] {
        try required(key, "an array of strings", strings)
    }

    package func optionalString(_ key: String) throws(GraftError) -> String? {
        try optional(key, "a string", \.stringValue)
    }

    package func optionalInt(_ key: String) throws(GraftError) -> Int? {
        try optional(key, "an integer", \.intValue)
    }

    package func optionalDouble(_ key: String) throws(GraftError) -> Double? {
        try optional(key, "a number", \.doubleValue)
    }

    package func optionalBool(_ key: String) throws(GraftError) -> Bool? {
        try optional(key, "true or false", \.boolValue)
    }

    package func optionalArray(_ key: String) throws(GraftError) -> [JSON]? {
        try optional(key, "an array", \.arrayValue)
    }

    package func optionalObject(_ key: String) throws(GraftError) -> JSONObject? {
        try optional(key, "an object", \.objectValue)
    }

    package func optionalStrings(_ key: String) throws(GraftError) -> [String]? {
        try optional(key, "an array of strings", strings)
    }

    /// The error of a member with another value than `expected`; for rules beyond types, such as
    /// "at least 1".
    package func unexpected(_ key: String, expected: String) -> GraftError {
        guard let object = try? requireObject() else {
            return GraftError(.corruptFile, "\(key): expected \(expected)")
        }
        let found = object[key].map { "found \($0.kind)" } ?? "it is missing"
        let place = object.place.map { JSONPlace(key: key, in: $0).description } ?? key
        return GraftError(.corruptFile, "\(place): expected \(expected), \(found)")
    }

    private func required<Value>(
        _ key: String, _ expected: String, _ convert: (JSON) -> Value?
    ) throws(GraftError) -> Value {
        guard let value = try requireObject()[key].flatMap(convert) else {
            throw unexpected(key, expected: expected)
        }
        return value
    }

    private func optional<Value>(
        _ key: String, _ expected: String, _ convert: (JSON) -> Value?
    ) throws(GraftError) -> Value? {
        guard let member = try requireObject()[key], !member.isNull else { return nil }
        guard let value = convert(member) else { throw unexpected(key, expected: expected) }
        return value
    }

    private func strings(_ value: JSON) -> [String]? {
        guard let elements = value.arrayValue else { return nil }
        let texts = elements.compactMap(\.stringValue)
        return texts.count == elements.count ? texts : nil
    }
}
