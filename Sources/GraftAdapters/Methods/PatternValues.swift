import GraftFormats
import GraftTensor

/// `rank_pattern` and `alpha_pattern`: a module's own value is that of the first key, as an expression, that matches its
/// path from the start or after a dot, to its end.
struct PatternValues: Sendable {
    private let entries: [(expression: RegularExpression, value: Double)]

    init(_ settings: JSONObject, key: String, place: String) throws(GraftError) {
        var entries: [(RegularExpression, Double)] = []
        for (name, value) in try settings.optionalObject(key) ?? JSONObject() {
            guard let number = value.doubleValue, number > 0, number.isFinite else {
                throw GraftError(
                    .invalidArgument, "\(place): \(key)[\"\(name)\"] must be a number above 0, found \(value.kind)")
            }
            entries.append(
                (try RegularExpression(python: "(.*\\.)?(\(name))$", place: "\(place): \(key)"), number))
        }
        self.entries = entries
    }

    func value(for path: String) throws(GraftError) -> Double? {
        for (expression, value) in entries where try expression.matches(path) { return value }
        return nil
    }
}
