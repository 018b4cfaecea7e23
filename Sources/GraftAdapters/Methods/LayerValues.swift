import GraftFormats
import GraftTensor

/// `reduction_factor`: one number above 0 for all layers, or numbers by layer with a "default" for
/// the others.
struct LayerValues: Sendable {
    private let byLayer: [Int: Double]
    private let others: Double?
    private let key: String
    private let place: String

    init(_ settings: JSONObject, key: String, place: String) throws(GraftError) {
        self.key = key
        self.place = place
        guard case .object(let object) = settings[key] else {
            others = try Self.checked(.double(try settings.double(key)), "\(place): \(key)")
            byLayer = [:]
            return
        }
        var byLayer: [Int: Double] = [:]
        for (name, value) in object where name != "default" {
            guard let layer = Int(name) else {
                throw GraftError(
                    .invalidArgument, "\(place): \(key) names \"\(name)\"; expected numbers of layers and \"default\"")
            }
            byLayer[layer] = try Self.checked(value, "\(place): \(key)[\"\(name)\"]")
        }
        self.byLayer = byLayer
        others = try object["default"].map { value throws(GraftError) in
            try Self.checked(value, "\(place): \(key)[\"default\"]")
        }
    }

    private static func checked(_ value: JSON, _ what: String) throws(GraftError) -> Double {
        guard let number = value.doubleValue, number > 0, number.isFinite else {
            throw GraftError(.invalidArgument, "\(what) must be a number above 0, found \(value.kind)")
        }
        return number
    }

    func value(ofLayer layer: Int) throws(GraftError) -> Double {
        guard let value = byLayer[layer] ?? others else {
            throw GraftError(.invalidArgument, "\(place): \(key) says nothing of layer \(layer) and has no \"default\"")
        }
        return value
    }
}
