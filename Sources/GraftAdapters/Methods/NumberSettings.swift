import GraftFormats
import GraftTensor

/// Settings that are numbers, each checked against its range; null is the default.
struct NumberSettings {
    private let settings: JSONObject
    let place: String

    init(_ settings: JSONObject, place: String) {
        self.settings = settings
        self.place = place
    }

    func isNull(_ key: String) -> Bool { settings[key]?.isNull ?? true }

    func count(_ key: String, default: Int, in range: ClosedRange<Int>) throws(GraftError) -> Int {
        guard let value = settings[key], !value.isNull else { return `default` }
        guard let count = value.intValue, range.contains(count) else {
            throw GraftError(
                .invalidArgument,
                "\(place): \(key) must be a whole number from \(range.lowerBound) to \(range.upperBound), found "
                    + value.briefText)
        }
        return count
    }

    /// `range` says in words what `holds` checks.
    func number(
        _ key: String, default: Double, _ range: String, _ holds: (Double) -> Bool
    ) throws(GraftError) -> Double {
        guard let value = settings[key], !value.isNull else { return `default` }
        guard let number = value.doubleValue, holds(number) else {
            throw GraftError(.invalidArgument, "\(place): \(key) must be a number \(range), found \(value.briefText)")
        }
        return number
    }
}
