import GraftFormats
import GraftLayers
import GraftTensor

/// Mistral (Jiang et al. 2023): Llama, where a token sees the last `sliding_window` tokens, itself
/// among them.
enum Mistral: Architecture {
    static let conventions = Llama.conventions.named(
        "mistral", className: "Mistral", answerBackbone: Llama.conventions.backbone)

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        let configuration = try LlamaConfiguration(
            folder.config, path: folder.path,
            .init(keyValueHeadCount: 8, maximumLength: 131_072, biases: .none, window: .everywhere(usual: 4096)))
        return try Llama.load(folder, conventions, configuration, precision: precision, team: team)
    }
}
