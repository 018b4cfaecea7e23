import GraftLayers

/// Phi-3 and 4 (Abdin et al. 2024): Llama, where one module projects query, key and value, and one
/// gate and up; a share of each head may turn by positions, and longer texts by other frequencies
/// (Ding et al. 2024), which this build does not do: it takes texts of the length before those.
enum Phi3: LlamaKin {
    static let conventions = Llama.conventions.named(
        "phi3", className: "Phi3", answerBackbone: Llama.conventions.backbone,
        defaultTargets: ["lora": ["qkv_proj"], "ia3": ["qkv_proj", "down_proj"]])

    static let variant = LlamaConfiguration.Variant(
        maximumLength: 4096, biases: .none, window: .everywhere(usual: nil), joinsProjections: true,
        residualDropoutKey: "resid_pdrop", normEpsilon: 1e-5,
        rotaryUsage: .init(share: 1, originalLength: 4096, longNames: ["su", "yarn"]), paddingToken: 32_000,
        endToken: 32_000)
}
