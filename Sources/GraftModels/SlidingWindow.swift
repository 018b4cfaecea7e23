import GraftFormats
import GraftTensor

/// How config.json says in which layers a token sees only the last tokens before it.
enum SlidingWindow {
    /// `sliding_window` holds in every layer; how many tokens it is where nothing is said.
    case everywhere(usual: Int)
    /// Only where `use_sliding_window` is true, and then in the layers that `layer_types` names, or
    /// without it from layer `max_window_layers`.
    case whereAsked(usual: Int, from: Int)

    private static let full = "full_attention"
    private static let sliding = "sliding_attention"

    /// Of each layer, nil where a token sees all.
    func ofLayers(_ count: Int, _ reader: ConfigurationReader) throws(GraftError) -> [Int?] {
        guard case .whereAsked(let usual, let first) = self, try reader.flag("use_sliding_window"),
            let window = try size(usual, reader)
        else { return Array(repeating: try windowOfAll(count, reader), count: count) }
        let begin = try reader.config.optionalInt("max_window_layers") ?? first
        guard let types = try reader.config.optionalStrings("layer_types") else {
            return (0..<count).map { $0 >= begin ? window : nil }
        }
        guard types.count == count, types.allSatisfy({ $0 == Self.full || $0 == Self.sliding }) else {
            throw reader.config.unexpected(
                "layer_types", expected: "\"\(Self.full)\" or \"\(Self.sliding)\" for each of \(count) layers")
        }
        return types.map { $0 == Self.sliding ? window : nil }
    }

    /// Where all layers are alike.
    private func windowOfAll(_ count: Int, _ reader: ConfigurationReader) throws(GraftError) -> Int? {
        try ConfigurationRule.checkLayerTypes(reader.config, count: count, file: reader.file)
        guard case .everywhere(let usual) = self else { return nil }
        return try size(usual, reader)
    }

    private func size(_ usual: Int, _ reader: ConfigurationReader) throws(GraftError) -> Int? {
        let isNone = reader.config["sliding_window"]?.isNull ?? false
        return isNone ? nil : try reader.size("sliding_window", usual)
    }
}
