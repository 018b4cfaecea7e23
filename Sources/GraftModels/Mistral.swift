import GraftLayers

/// Mistral (Jiang et al. 2023): Llama, where a token sees the last `sliding_window` tokens, itself
/// among them.
enum Mistral: LlamaKin {
    static let conventions = Llama.conventions.named(
        "mistral", className: "Mistral", answerBackbone: Llama.conventions.backbone)

    static let variant = LlamaConfiguration.Variant(
        keyValueHeadCount: 8, maximumLength: 131_072, biases: .none, window: .everywhere(usual: 4096))
}
