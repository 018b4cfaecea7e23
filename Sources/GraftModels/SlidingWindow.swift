import GraftFormats
import GraftTensor

/// How config.json says in which layers a token sees only the last tokens before it.
enum SlidingWindow {
    /// `sliding_window` holds in every layer; how many tokens it is where nothing is said, nil for
    /// all.
    case everywhere(usual: Int?)
    /// Only where `use_sliding_window` is true, and then in the layers that `layer_types` names, or
    /// without it from layer `max_window_layers`.
    case whereAsked(usual: Int, from: Int)
    /// In the layers that `layer_types` names, or without it in all but each so-many-th, where a
    /// key may say how many.
    case alternating(usual: Int, each: Int, key: String? = nil)

    static let full = "full_attention"
    static let sliding = "sliding_attention"

    /// Of each layer, nil where a token sees all.
    func ofLayers(_ count: Int, _ reader: ConfigurationReader) throws(GraftError) -> [Int?] {
        let window = try window(reader)
        return try slides(count, reader).map { $0 ? window : nil }
    }

    /// In which layers the window holds.
    func slides(_ count: Int, _ reader: ConfigurationReader) throws(GraftError) -> [Bool] {
        switch self {
        case .everywhere:
            try ConfigurationRule.checkLayerTypes(reader.config, count: count, file: reader.file)
            return Array(repeating: true, count: count)
        case .whereAsked(_, let first):
            guard try reader.flag("use_sliding_window"), try window(reader) != nil else {
                try ConfigurationRule.checkLayerTypes(reader.config, count: count, file: reader.file)
                return Array(repeating: false, count: count)
            }
            let begin = try reader.config.optionalInt("max_window_layers") ?? first
            return try Self.types(count, reader) ?? (0..<count).map { $0 >= begin }
        case .alternating(_, let usual, let key):
            let each = try key.map { key throws(GraftError) in try reader.size(key, usual) } ?? usual
            return try Self.types(count, reader) ?? (1...count).map { $0 % each != 0 }
        }
    }

    /// `layer_types`: which of the layers slide; nil where it is not there.
    static func types(_ count: Int, _ reader: ConfigurationReader) throws(GraftError) -> [Bool]? {
        guard let types = try reader.config.optionalStrings("layer_types") else { return nil }
        guard types.count == count, types.allSatisfy({ $0 == full || $0 == sliding }) else {
            throw reader.config.unexpected(
                "layer_types", expected: "\"\(full)\" or \"\(sliding)\" for each of \(count) layers")
        }
        return types.map { $0 == sliding }
    }

    private func window(_ reader: ConfigurationReader) throws(GraftError) -> Int? {
        let isNone = reader.config["sliding_window"]?.isNull ?? (usual == nil)
        return isNone ? nil : try reader.size("sliding_window", usual)
    }

    private var usual: Int? {
        switch self {
        case .everywhere(let usual): usual
        case .whereAsked(let usual, _), .alternating(let usual, _, _): usual
        }
    }
}
