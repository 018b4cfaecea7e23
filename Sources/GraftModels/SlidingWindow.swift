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
        let types = try reader.config.optionalStrings("layer_types")
        switch self {
        case .everywhere(let usual):
            try ConfigurationRule.checkLayerTypes(reader.config, count: count, file: reader.file)
            return Array(repeating: try size(usual, reader), count: count)
        case .whereAsked(let usual, let first):
            let window = try reader.flag("use_sliding_window") ? size(usual, reader) : nil
            guard let window else {
                try ConfigurationRule.checkLayerTypes(reader.config, count: count, file: reader.file)
                return Array(repeating: nil, count: count)
            }
            let begin = try reader.config.optionalInt("max_window_layers") ?? first
            guard let types else { return (0..<count).map { $0 >= begin ? window : nil } }
            guard types.count == count, types.allSatisfy({ $0 == Self.full || $0 == Self.sliding }) else {
                throw reader.config.unexpected(
                    "layer_types", expected: "\"\(Self.full)\" or \"\(Self.sliding)\" for each of \(count) layers")
            }
            return types.map { $0 == Self.sliding ? window : nil }
        }
    }

    private func size(_ usual: Int, _ reader: ConfigurationReader) throws(GraftError) -> Int? {
        let isNone = reader.config["sliding_window"]?.isNull ?? false
        return isNone ? nil : try reader.size("sliding_window", usual)
    }
}
