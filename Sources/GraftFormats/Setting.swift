/// A setting of something that is chosen by name, such as an optimizer: declared once, and from
/// there checked, read and described.
package struct Setting: Sendable {
    enum Kind {
        case number(Double, in: ClosedRange<Double>)
        case count(Int, in: ClosedRange<Int>)
        case flag(Bool)
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

    var initial: JSON {
        switch kind {
        case .number(let initial, _): .double(initial)
        case .count(let initial, _): .integer(initial)
        case .flag(let initial): .bool(initial)
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
        }
        members["description"] = .string(summary)
        return .object(members)
    }

    /// A given value in one spelling; nil for one that the setting does not take.
    func accepted(_ value: JSON) -> JSON? {
        switch kind {
        case .number(_, let range): value.doubleValue.flatMap { range.contains($0) ? .double($0) : nil }
        case .count(_, let range): value.intValue.flatMap { range.contains($0) ? .integer($0) : nil }
        case .flag: value.boolValue.map(JSON.bool)
        }
    }

    /// What the setting takes, in words.
    var expected: String {
        switch kind {
        case .number(_, let range): "\(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))"
        case .count(_, let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .flag: "true or false"
        }
    }

    private static func text(_ number: Double) -> String {
        number == number.rounded() && number.magnitude < 1e9
            ? String(Int(number)) : PythonFloat.spelling(of: number)
    }
}

extension [Setting] {
    /// All of them as a JSON object: of each its type, default, range and meaning.
    package var described: JSON {
        var object = JSONObject()
        for setting in self { object[setting.key] = setting.described }
        return .object(object)
    }
}
