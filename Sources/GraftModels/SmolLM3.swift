import GraftLayers

/// SmolLM3 (Bakouch et al. 2025): Llama, where in each fourth layer, or where config.json says,
/// heads do not turn by their positions (Yang et al. 2025).
enum SmolLM3: LlamaKin {
    static let conventions = Llama.conventions.named("smollm3", className: "SmolLM3")

    static let variant = LlamaConfiguration.Variant(
        keyValueHeadCount: 4, maximumLength: 32_768, rotaryBase: 2_000_000, rotaryPlace: .skipping,
        tiesEmbeddings: true, paddingToken: 128_004, endToken: 128_001)
}
