/// A JSON value (RFC 8259), as read from a file or about to be written.
///
/// Numbers stay as they were written, so nothing is rounded on the way through and `load → save` is
/// the identity. Objects keep the order of their members.
package enum JSON: Sendable {
    case null
    case bool(Bool)
    /// The number's own spelling, such as `1e-05`; `integer(_:)` and `double(_:)` make one from a
    /// value.
    case number(String)
    case string(String)
    case array([JSON])
    indirect case object(JSONObject)

    /// Deepest nesting that is read: deeper input is refused rather than risk the stack.
    package static let maximumDepth = 128

    package static func integer(_ value: Int) -> JSON { .number(String(value)) }

    /// A number in the spelling of Python's `repr`. JSON has no spelling for NaN and infinity: they
    /// become null.
    package static func double(_ value: Double) -> JSON {
        value.isFinite ? .number(PythonFloat.spelling(of: value)) : .null
    }

    /// What kind of value this is, in words for messages.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let text): text.utf8.count <= 40 ? "the number \(text)" : "a long number"
        case .string(let text): text.utf8.count <= 40 ? "the string \"\(text)\"" : "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// Values are equal when they have the same kind and content. Strings compare by bytes, numbers by
/// spelling (`1.0` is not `1`), objects by members in any order.
extension JSON: Equatable {
    package static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)), (.string(let a), .string(let b)): ExactString(a) == ExactString(b)
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a == b
        default: false
        }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(nilLiteral: ()) { self = .null }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// Keeps the order written; the last of equal keys wins.
    package init(dictionaryLiteral elements: (String, JSON)...) {
        var object = JSONObject()
        for (key, value) in elements { object[key] = value }
        self = .object(object)
    }
}
