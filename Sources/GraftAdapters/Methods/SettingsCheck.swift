import GraftFormats
import GraftLayers
import GraftTensor

extension JSONObject {
    /// Refuses every setting that a method neither does nor may pass over, unless its value turns
    /// it off: from a caller one that nobody knows, and from a file what this build does not do.
    func requireDone(
        _ done: Set<String>, undone: Set<String> = [], use: SettingsUse, place: String,
        hasNoEffect: (_ key: String) -> Bool
    ) throws(GraftError) {
        for (key, value) in self where !done.contains(key) && !hasNoEffect(key) {
            guard undone.contains(key) || use != .create else {
                throw GraftError.unknownSetting(key, of: done, place: place)
            }
            if value.isOff { continue }
            throw GraftError.undone(key, value, place: place)
        }
    }

    /// The probability of a dropout as kernels take it, rounded below 1; nil where nothing is set.
    func dropout(
        _ key: String, _ code: GraftError.Code = .invalidArgument, place: String
    ) throws(GraftError) -> Float? {
        guard let value = try optionalDouble(key) else { return nil }
        guard value >= 0, Float(value) < 1 else {
            throw GraftError(code, "\(place): \(key) must be at least 0 and below 1, found \(value)")
        }
        return Float(value)
    }

    /// What stands for a row to a head; nil where nothing is set.
    func pooling(_ key: String, _ code: GraftError.Code, place: String) throws(GraftError) -> Pooling? {
        guard let name = try optionalString(key) else { return nil }
        guard let pooling = Pooling(name: name) else {
            throw GraftError(
                code,
                "\(place): \(key) \"\(name)\"; expected "
                    + Pooling.ofHeads.map { "\"\($0.name)\"" }.joined(separator: ", "))
        }
        return pooling
    }
}

extension GraftError {
    /// Of a caller's setting that a method has not.
    static func unknownSetting(_ key: String, of known: Set<String>, place: String) -> GraftError {
        GraftError(
            .invalidArgument,
            "\(place): unknown setting \"\(key)\"; expected one of \(known.sorted().joined(separator: ", "))")
    }

    static func undone(_ key: String, _ value: JSON, place: String) -> GraftError {
        GraftError(
            .unsupported,
            "\(place): setting \"\(key)\" is \(value.serialized(indent: nil)), which this build does not do")
    }
}

extension JSON {
    /// A value that leaves a setting off: null, false, or something empty.
    var isOff: Bool {
        switch self {
        case .null, .bool(false): true
        case .string(let text): text.isEmpty
        case .array(let values): values.isEmpty
        case .object(let object): object.isEmpty
        default: false
        }
    }
}
