import GraftFormats
import GraftLayers
import GraftTensor

/// What PEFT's prompt-learning methods have in common: virtual rows before those of every row, the
/// model's sizes among the settings, and files whose own tensor is `prompt_embeddings`
/// [num_virtual_tokens, width].
protocol PromptLearning: AdapterMethod {
    /// Settings of its own with PEFT's defaults, beside the common ones.
    static var ownDefaults: [(key: String, value: JSON)] { get }
    /// PEFT's `token_dim` and `num_attention_heads` for a model.
    static func tokenSize(of model: Model) -> (width: Int, headCount: Int)
}

extension PromptLearning {
    package static var layout: any AdapterLayout.Type { PeftLayout.self }
    package static var ownTensors: [String] { [PromptSettings.tensor] }
    /// PEFT wraps the model itself, and no tuner between them.
    package static var moduleStart: String { "base_model." }
    /// What PEFT needs to be told: without a task it puts nothing before the rows.
    package static var withoutTask: String? { "FEATURE_EXTRACTION" }
    package static var hasScale: Bool { false }
    package static var fitsSources: Bool { false }

    package static func settings(
        completing given: JSONObject, for model: Model, place: String
    ) -> JSONObject {
        let common: [(key: String, value: JSON)] = [
            ("auto_mapping", .null), ("base_model_name_or_path", .null), ("modules_to_save", .null),
            ("num_virtual_tokens", .integer(20)), ("peft_type", typeName.map(JSON.string) ?? .null),
            ("revision", .null), ("task_type", withoutTask.map(JSON.string) ?? .null),
        ]
        var settings = JSONObject()
        for (key, value) in common + ownDefaults { settings[key] = value }
        for (key, value) in given { settings[key] = value }
        for (key, size) in sizes(of: model) where settings[key]?.isNull ?? true { settings[key] = .integer(size) }
        // In PEFT's words: there is more than the file will have, and it learns.
        settings["inference_mode"] = .bool(false)
        return settings
    }

    /// PEFT's settings that say again what the model does.
    static func sizes(of model: Model) -> [(key: String, value: Int)] {
        let (width, headCount) = tokenSize(of: model)
        // Of a model with an encoder these are the encoder's layers, and two stacks.
        let (layers, stacks) = (model.shape.readingLayerCount, model.decoderTokens == nil ? 1 : 2)
        return zip(PromptSettings.sizes, [headCount, layers, stacks, width]).map { ($0, $1) }
    }

    package static func settings(ofFile settings: JSONObject) -> JSONObject {
        var settings = settings
        settings["inference_mode"] = .bool(true)
        return settings
    }

    /// Settings that say where a file came from, or say again what the model does.
    package static var withoutEffect: Set<String> {
        Set(PromptSettings.sizes).union([
            "auto_mapping", "base_model_name_or_path", "inference_mode", "peft_type", "peft_version", "revision",
            "task_type",
        ])
    }
}

/// The settings that prompt-learning methods share, checked.
struct PromptSettings: Sendable {
    static let tensor = "prompt_embeddings"
    static let sizes = ["num_attention_heads", "num_layers", "num_transformer_submodules", "token_dim"]

    let count: Int
    /// Whether the tensors are those of the file, rather than those that it is made of.
    let isOfFile: Bool
    private let given: [String: Int]
    private let method: any PromptLearning.Type
    private let place: String

    /// Refuses settings that are neither common nor among `own`.
    init(_ settings: JSONObject, own: Set<String>, of method: any PromptLearning.Type, use: SettingsUse, place: String)
        throws(GraftError)
    {
        (self.method, self.place) = (method, place)
        try settings.requireDone(own.union(["modules_to_save", "num_virtual_tokens"]), use: use, place: place) {
            method.withoutEffect.contains($0)
        }
        count = try Self.count("num_virtual_tokens", settings, place) ?? 0
        guard count > 0 else {
            throw GraftError(
                .invalidArgument, "\(place): num_virtual_tokens must be a whole number from 1 to 65536, found null")
        }
        var given: [String: Int] = [:]
        for key in Self.sizes { given[key] = try Self.count(key, settings, place) }
        self.given = given
        isOfFile = try settings.optionalBool("inference_mode") ?? true
    }

    /// A number of things, from 1; nil for null.
    static func count(_ key: String, _ settings: JSONObject, _ place: String) throws(GraftError) -> Int? {
        guard let value = settings[key], !value.isNull else { return nil }
        guard let count = value.intValue, count > 0, count <= 1 << 16 else {
            throw GraftError(
                .invalidArgument, "\(place): \(key) must be a whole number from 1 to 65536, found \(value.briefText)")
        }
        return count
    }

    /// Refuses sizes that are not the model's, and more virtual rows than it has positions for.
    func check(_ model: Model) throws(GraftError) {
        for (key, expected) in method.sizes(of: model) {
            guard let value = given[key], value != expected else { continue }
            throw GraftError(
                .incompatible,
                "\(place): \(key) is \(value); this \(model.architecture) model has \(expected)")
        }
        guard count < model.shape.maximumLength else {
            throw GraftError(
                .incompatible,
                "\(place): num_virtual_tokens is \(count); the model takes at most \(model.shape.maximumLength) tokens, and a "
                    + "row has one of its own")
        }
    }
}
