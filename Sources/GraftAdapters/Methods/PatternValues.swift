import GraftFormats
import GraftTensor

/// `rank_pattern` and `alpha_pattern`: a module's own value is that of the first key, as an expression, that matches its
/// path from the start or after a dot, to its end.
struct PatternValues: Sendable {
    private let entries: [(pattern: Pattern, value: Double)]

    init(_ settings: JSONObject, key: String, place: String) throws(GraftError) {
        var entries: [(Pattern, Double)] = []
        for (name, value) in try settings.optionalObject(key) ?? JSONObject() {
            guard let number = value.doubleValue, number > 0, number.isFinite else {
                throw GraftError(
                    .invalidArgument, "\(place): \(key)[\"\(name)\"] must be a number above 0, found \(value.kind)")
            }
            entries.append((try Pattern("(.*\\.)?(\(name))$", place: "\(place): \(key)"), number))
        }
        self.entries = entries
    }

    func value(for path: String) -> Double? { entries.first { $0.pattern.matches(path) }?.value }
}
