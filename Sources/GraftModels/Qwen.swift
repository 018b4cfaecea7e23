import GraftLayers

/// Qwen 2 and 2.5 (Yang et al. 2024): Llama, with biases of the queries, keys and values, and in
/// some layers a window where config.json asks for one.
enum Qwen2: LlamaKin {
    static let conventions = Llama.conventions.named(
        "qwen2", className: "Qwen2",
        defaultTargets: ["lora": ["q_proj", "v_proj"], "ia3": ["q_proj", "v_proj", "down_proj"]])

    static let variant = LlamaConfiguration.Variant(
        keyValueHeadCount: 32, maximumLength: 32_768, biases: .queryKeyValue,
        window: .whereAsked(usual: 4096, from: 28), endToken: nil)
}

/// Qwen 3 (Yang et al. 2025): Qwen 2 without those biases, where each head's query and key is
/// normed before it turns.
enum Qwen3: LlamaKin {
    static let conventions = Qwen2.conventions.named("qwen3", className: "Qwen3")

    static let variant = LlamaConfiguration.Variant(
        keyValueHeadCount: 32, headWidth: 128, maximumLength: 32_768, biases: .configuredInAttention,
        window: .whereAsked(usual: 4096, from: 28), queryKeyNorms: .ofEachHead, endToken: nil)
}
