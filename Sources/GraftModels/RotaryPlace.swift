import GraftFormats
import GraftTensor

/// Where config.json has how the heads of each layer turn by their positions.
enum RotaryPlace {
    case all
    /// For all layers but those of `no_rope_layers`, which do not turn.
    case skipping
    /// For each type of layers on its own; `sliding` is the base of those with a window where
    /// nothing is said.
    case ofTypes(sliding: Double)

    /// - Parameter usual: the base where nothing is said.
    func ofLayers(
        _ count: Int, _ reader: ConfigurationReader, usual: Double, maximumLength: Int, _ window: SlidingWindow?,
        _ usage: RotarySettings.Usage
    ) throws(GraftError) -> [RotarySettings?] {
        guard case .ofTypes(let sliding) = self else {
            let settings = try RotarySettings(reader, base: usual, maximumLength: maximumLength, usage)
            guard case .skipping = self else { return Array(repeating: settings, count: count) }
            return try Self.turns(reader, count).map { $0 ? settings : nil }
        }
        let types = try Self.types(reader)
        let full = try Self.ofType(
            SlidingWindow.full, types, key: "rope_theta", base: usual, maximumLength, reader,
            scaling: try reader.config.optionalObject("rope_scaling"))
        let local = try Self.ofType(
            SlidingWindow.sliding, types, key: "rope_local_base_freq", base: sliding, maximumLength, reader)
        return try window?.slides(count, reader).map { $0 ? local : full } ?? Array(repeating: full, count: count)
    }

    /// `rope_parameters`, which has settings for each type or none.
    private static func types(_ reader: ConfigurationReader) throws(GraftError) -> JSONObject {
        let key = "rope_parameters"
        let types = try reader.config.optionalObject(key) ?? JSONObject()
        let known = [SlidingWindow.full, SlidingWindow.sliding]
        guard types.allSatisfy({ known.contains($0.key) && ($0.value.isNull || $0.value.objectValue != nil) }) else {
            throw reader.config.unexpected(
                key, expected: known.map { "\"\($0)\"" }.joined(separator: " and ") + " with settings of their own")
        }
        return types
    }

    /// - Parameter scaling: settings from elsewhere, which go before those of the type.
    private static func ofType(
        _ type: String, _ types: JSONObject, key: String, base usual: Double, _ maximumLength: Int,
        _ reader: ConfigurationReader, scaling: JSONObject? = nil
    ) throws(GraftError) -> RotarySettings {
        var settings = try types.optionalObject(type) ?? JSONObject()
        // Where the type has none, those from elsewhere do not say what they are by an older name.
        if settings.isEmpty { settings["rope_type"] = "default" }
        for (key, value) in scaling ?? JSONObject() { settings[key] = value }
        let outside = try reader.config.optionalDouble(key)
        return try RotarySettings(
            settings, named: "rope_parameters.\(type)", base: outside ?? usual, maximumLength: maximumLength, reader)
    }

    /// `no_rope_layers` has 1 for a layer that turns, in spite of its name, and where it is missing
    /// each `no_rope_layer_interval`-th does not.
    private static func turns(_ reader: ConfigurationReader, _ count: Int) throws(GraftError) -> [Bool] {
        let interval = try reader.size("no_rope_layer_interval", 4)
        guard let given = reader.config["no_rope_layers"], !given.isNull else {
            return (1...count).map { $0 % interval != 0 }
        }
        let values = (given.arrayValue ?? []).compactMap(\.intValue)
        guard values.count == count, values.allSatisfy((0...1).contains) else {
            throw reader.config.unexpected("no_rope_layers", expected: "0 or 1 for each of \(count) layers")
        }
        return values.map { $0 == 1 }
    }
}
