/// Python's spelling of floats, so that written JSON equals that of `json.dumps`.
package enum PythonFloat {
    /// `repr(value)`: the shortest digits that read back as the same value, with an exponent below
    /// 1e-4 and from 1e16.
    package static func spelling(of value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
        let (digits, pointPosition) = shortestDigits(of: value.magnitude)
        let sign = value.sign == .minus ? "-" : ""
        if value == 0 { return sign + "0.0" }
        if (-3...16).contains(pointPosition) {
            if pointPosition <= 0 { return sign + "0." + String(repeating: "0", count: -pointPosition) + digits }
            if digits.utf8.count <= pointPosition {
                return sign + digits + String(repeating: "0", count: pointPosition - digits.utf8.count) + ".0"
            }
            return sign + digits.prefix(pointPosition) + "." + digits.dropFirst(pointPosition)
        }
        let exponent = pointPosition - 1
        let fraction = digits.utf8.count > 1 ? "." + digits.dropFirst() : ""
        let exponentDigits = (exponent.magnitude < 10 ? "0" : "") + String(exponent.magnitude)
        return sign + digits.prefix(1) + fraction + (exponent < 0 ? "e-" : "e+") + exponentDigits
    }

    /// Digits without leading and trailing zeros, and where the point stands: 0.digits ×
    /// 10^pointPosition. Swift's description has the same shortest digits (both round-trip), laid
    /// out by other rules.
    private static func shortestDigits(of value: Double) -> (digits: String, pointPosition: Int) {
        let parts = value.description.split(separator: "e")
        let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let mantissa = parts.first ?? "0"
        let whole = mantissa.prefix { $0 != "." }
        let all = mantissa.filter { $0 != "." }
        let withoutLeading = all.drop { $0 == "0" }
        var digits = withoutLeading
        while digits.last == "0" { digits.removeLast() }
        return (String(digits), exponent + whole.count - (all.count - withoutLeading.count))
    }
}
