import GraftFormats
import GraftLayers
import GraftTensor

/// Prefix-tuning (Li and Liang 2021): attention of every layer reads keys and values of its own
/// before those of a row's tokens, which stand after them.
///
/// P [num_virtual_tokens, layers · 2 · key width]: for each layer its keys and then its values.
/// Keys are not rotated by their positions. With `prefix_projection` P is made of smaller numbers
/// while it learns, W₂ tanh(W₁ E + b₁) + b₂, and a file has P alone: an adapter that is read learns
/// P itself.
///
/// Of an encoder and a decoder, the decoder's attention to itself has them; P is of as many layers
/// as the encoder has, as PEFT counts them: see `PrefixLayers`.
package struct PrefixTuning: PromptLearning {
    package static let name = "prefix_tuning"
    package static let typeName: String? = "PREFIX_TUNING"

    static let ownDefaults: [(key: String, value: JSON)] = [
        ("encoder_hidden_size", .null), ("init_weights", .null), ("prefix_projection", .bool(false)),
    ]

    private let common: PromptSettings
    private let isProjected: Bool
    /// Width of the projection's inner layer; nil for that of a token's keys.
    private let innerWidth: Int?
    private let startsAtZero: Bool

    package static let fitsSomeSources = true

    static func tokenSize(of model: Model) -> (width: Int, headCount: Int) {
        (model.shape.keyWidth, model.shape.keyHeadCount)
    }

    package init(settings: JSONObject, use: SettingsUse, place: String) throws(GraftError) {
        common = try PromptSettings(
            settings, own: Set(Self.ownDefaults.map(\.key)), of: Self.self, use: use, place: place)
        isProjected = try settings.optionalBool("prefix_projection") ?? false
        innerWidth = try PromptSettings.count("encoder_hidden_size", settings, place)
        switch settings["init_weights"] {
        case nil, .null: startsAtZero = false
        case .string("zero"): startsAtZero = true
        case .some(let value):
            throw GraftError(
                .invalidArgument, "\(place): init_weights must be null or \"zero\", found \(value.briefText)")
        }
    }

    package func plan(_ plan: inout AdapterPlan, names: ModuleNames, use: SettingsUse) throws(GraftError) {
        let shape = names.model.shape
        try common.check(names.model)
        guard shape.encoderLayerCount == 0 || shape.layerCount <= shape.encoderLayerCount else {
            throw GraftError(
                .unsupported,
                "prefix_tuning of a decoder of \(shape.layerCount) layers, of which PEFT has keys for as many as the encoder "
                    + "has: \(shape.encoderLayerCount)")
        }
        let width = shape.readingLayerCount * 2 * shape.keyWidth
        let layers = shape.encoderLayerCount > 0 ? PrefixLayers.dealt(shape.encoderLayerCount) : .own
        guard isProjected, !common.isOfFile else {
            let rows = try plan.add(
                PromptSettings.tensor, shape: [common.count, width], startsAtZero ? .zero : .normal(deviation: 1))
            plan.prefix = EmbeddedRows(rows, count: common.count, width: width, layers: layers)
            return
        }
        plan.prefix = try ProjectedRows(
            &plan, count: common.count, inputWidth: shape.keyWidth, innerWidth: innerWidth ?? shape.keyWidth,
            width: width, startsAtZero: startsAtZero, layers: layers, savedAs: PromptSettings.tensor)
    }
}
