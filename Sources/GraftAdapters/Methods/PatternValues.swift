import GraftFormats
import GraftTensor

/// `rank_pattern` and `alpha_pattern`: a module's own value is that of the first key, as an
/// expression, that matches its path from the start or after a dot, to its end.
struct PatternValues<Value: Sendable>: Sendable {
    private let entries: [(pattern: String, expression: RegularExpression, value: Value)]
    private let key: String
    private let place: String

    /// `read` takes a value as it stands in the settings; its second argument names that place.
    init(
        _ settings: JSONObject, key: String, place: String,
        read: (_ value: JSON, _ what: String) throws(GraftError) -> Value
    ) throws(GraftError) {
        self.key = key
        self.place = place
        var entries: [(String, RegularExpression, Value)] = []
        for (pattern, value) in try settings.optionalObject(key) ?? JSONObject() {
            entries.append(
                (
                    pattern, try RegularExpression(python: "(.*\\.)?(\(pattern))$", place: "\(place): \(key)"),
                    try read(value, "\(place): \(key)[\"\(pattern)\"]")
                ))
        }
        self.entries = entries
    }

    func value(for path: String) throws(GraftError) -> Value? {
        for (_, expression, value) in entries where try expression.matches(path) { return value }
        return nil
    }

    /// Refuses a pattern that would silently do nothing.
    func requireMatches(among paths: [String]) throws(GraftError) {
        for (pattern, expression, _) in entries {
            var matches = false
            for path in paths where !matches { matches = try expression.matches(path) }
            guard matches else {
                throw GraftError(
                    .notFound,
                    "\(place): \(key)[\"\(pattern)\"] matches none of the modules adapted, which are named like "
                        + "\"\(paths.first ?? "")\"")
            }
        }
    }
}
