/// A setting of something that is chosen by name, such as an optimizer: declared once, and from
/// there checked, read and described.
package struct Setting: Sendable {
    enum Kind {
        case number(Double, in: ClosedRange<Double>)
        case count(Int, in: ClosedRange<Int>)
        case flag(Bool)
        case choice(String, of: [String])
        case counts([Int], in: ClosedRange<Int>)
        case numbers(Double, in: ClosedRange<Double>)
    }

    package let key: String
    let kind: Kind
    let summary: String

    /// A number, with its default.
    package static func number(
        _ key: String, _ initial: Double, in range: ClosedRange<Double>, _ summary: String
    ) -> Setting {
        Setting(key: key, kind: .number(initial, in: range), summary: summary)
    }

    /// A whole number, with its default.
    package static func count(
        _ key: String, _ initial: Int, in range: ClosedRange<Int>, _ summary: String
    ) -> Setting {
        Setting(key: key, kind: .count(initial, in: range), summary: summary)
    }

    /// True or false, with its default.
    package static func flag(_ key: String, _ initial: Bool, _ summary: String) -> Setting {
        Setting(key: key, kind: .flag(initial), summary: summary)
    }

    /// One of some names, with its default.
    package static func choice(_ key: String, _ initial: String, of names: [String], _ summary: String) -> Setting {
        Setting(key: key, kind: .choice(initial, of: names), summary: summary)
    }

    /// Whole numbers, by default none.
    package static func counts(_ key: String, in range: ClosedRange<Int>, _ summary: String) -> Setting {
        Setting(key: key, kind: .counts([], in: range), summary: summary)
    }

    /// A number for all of something, with its default, or an array of one for each.
    package static func numbers(
        _ key: String, _ initial: Double, in range: ClosedRange<Double>, _ summary: String
    ) -> Setting {
        Setting(key: key, kind: .numbers(initial, in: range), summary: summary)
    }

    var initial: JSON {
        switch kind {
        case .number(let initial, _), .numbers(let initial, _): .double(initial)
        case .count(let initial, _): .integer(initial)
        case .flag(let initial): .bool(initial)
        case .choice(let initial, _): .string(initial)
        case .counts(let initial, _): .array(initial.map(JSON.integer))
        }
    }

    /// In the words of JSON Schema.
    var described: JSON {
        var members: JSONObject = JSONObject()
        func limit(_ type: JSON, _ least: JSON, _ most: JSON) {
            (members["type"], members["default"]) = (type, initial)
            (members["minimum"], members["maximum"]) = (least, most)
        }
        switch kind {
        case .number(_, let range): limit("number", .double(range.lowerBound), .double(range.upperBound))
        case .count(_, let range): limit("integer", .integer(range.lowerBound), .integer(range.upperBound))
        case .flag: (members["type"], members["default"]) = ("boolean", initial)
        case .choice(_, let names):
            (members["type"], members["default"]) = ("string", initial)
            members["enum"] = .array(names.map(JSON.string))
        case .counts(_, let range):
            (members["type"], members["default"]) = ("array", initial)
            var items = JSONObject()
            (items["type"], items["minimum"], items["maximum"]) = (
                "integer", .integer(range.lowerBound), .integer(range.upperBound)
            )
            members["items"] = .object(items)
        case .numbers(_, let range):
            limit(.array([.string("number"), .string("array")]), .double(range.lowerBound), .double(range.upperBound))
        }
        members["description"] = .string(summary)
        return .object(members)
    }

    /// A given value in one spelling; nil for one that the setting does not take.
    func accepted(_ value: JSON) -> JSON? {
        switch kind {
        case .number(_, let range): Self.number(value, range)
        case .numbers(_, let range):
            if let items = value.arrayValue {
                items.allSatisfy { Self.number($0, range) != nil } ? value : nil
            } else {
                Self.number(value, range)
            }
        case .count(_, let range): value.intValue.flatMap { range.contains($0) ? .integer($0) : nil }
        case .flag: value.boolValue.map(JSON.bool)
        case .choice(_, let names): value.stringValue.flatMap { names.contains($0) ? .string($0) : nil }
        case .counts(_, let range):
            value.arrayValue.flatMap { items in
                let counts = items.compactMap(\.intValue).filter(range.contains)
                return counts.count == items.count ? .array(counts.map(JSON.integer)) : nil
            }
        }
    }

    private static func number(_ value: JSON, _ range: ClosedRange<Double>) -> JSON? {
        value.doubleValue.flatMap { range.contains($0) ? .double($0) : nil }
    }

    /// What the setting takes, in words.
    var expected: String {
        switch kind {
        case .number(_, let range): "\(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))"
        case .count(_, let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .flag: "true or false"
        case .choice(_, let names): names.map { "\"\($0)\"" }.joined(separator: " or ")
        case .numbers(_, let range):
            "\(Self.text(range.lowerBound)) to \(Self.text(range.upperBound)), or an array of such numbers"
        case .counts(_, let range): "an array of whole numbers from \(range.lowerBound) to \(range.upperBound)"
        }
    }

    private static func text(_ number: Double) -> String {
        number == number.rounded() && number.magnitude < 1e9
            ? String(Int(number)) : PythonFloat.spelling(of: number)
    }
}

extension [Setting] {
    /// The default of each.
    package var defaults: JSONObject {
        var object = JSONObject()
        for setting in self { object[setting.key] = setting.initial }
        return object
    }

    /// All of them as a JSON object: of each its type, default, range and meaning.
    package var described: JSON {
        var object = JSONObject()
        for setting in self { object[setting.key] = setting.described }
        return .object(object)
    }
}
