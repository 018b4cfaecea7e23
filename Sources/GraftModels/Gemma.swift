import GraftFormats
import GraftLayers

/// Gemma (Gemma Team 2024): Llama with scaled embeddings and norms around one.
///
///     h = √d E[t]
enum Gemma: LlamaKin {
    static let conventions = Qwen2.conventions.named(
        "gemma", className: "Gemma", answerBackbone: Llama.conventions.backbone,
        defaultTargets: ["lora": ["q_proj", "v_proj"], "ia3": ["q_proj", "v_proj", "down_proj"]])

    /// What all Gemmas have alike, with the settings of the first.
    static let variant = LlamaConfiguration.Variant(
        headWidth: 256, maximumLength: 8192, biases: .configuredInAttention,
        activation: .init(usual: "gelu_pytorch_tanh", gelu: "gelu_pytorch_tanh"), normsAreAroundOne: true,
        tiesEmbeddings: true, scalesEmbeddings: true, paddingToken: 0, endToken: 1,
        rules: [.only("use_bidirectional_attention", false)])
}

/// Gemma 2 (Gemma Team 2024): Gemma with norms on both sides of each mixer, scores and logits that
/// are bounded softly, and a window in every other layer.
///
///     a = h + norm(W_o attention(rotate(W_q n), rotate(W_k n), W_v n))   where n = norm(h)
///     h = a + norm(W_down (gelu(W_gate m) ∘ W_up m))                     where m = norm(a)
///     logits = c tanh(E h / c)
enum Gemma2: LlamaKin {
    static let conventions = Gemma.conventions.named("gemma2", className: "Gemma2")

    static let variant: LlamaConfiguration.Variant = {
        var variant = Gemma.variant
        variant.keyValueHeadCount = 4
        variant.window = .alternating(usual: 4096, each: 2)
        variant.activation = .init(key: "hidden_activation", usual: "gelu_pytorch_tanh")
        variant.branchNorms = .onBothSides
        variant.queryScalar = 256
        variant.attentionSoftCap = .ofAttention(usual: 50)
        variant.logitSoftCap = .ofLogits(usual: 30)
        return variant
    }()
}

/// Gemma 3 (Gemma Team 2025), the decoder of texts: Gemma 2 with norms of each head's query and key
/// in place of bounds, and layers with a window that turn on a base of their own.
enum Gemma3: LlamaKin {
    static let conventions = Gemma.conventions.named("gemma3_text", className: "Gemma3Text")

    static let variant: LlamaConfiguration.Variant = {
        var variant = Gemma2.variant
        variant.maximumLength = 131_072
        variant.window = .alternating(usual: 4096, each: 6, key: "sliding_window_pattern")
        variant.queryKeyNorms = .ofEachHead
        variant.attentionSoftCap = nil
        variant.logitSoftCap = .ofLogits(usual: nil)
        variant.rotaryBase = 1_000_000
        variant.rotaryPlace = .ofTypes(sliding: 10_000)
        return variant
    }()
}

extension LlamaConfiguration.BranchNorms {
    /// Of attention and of the feed-forward.
    fileprivate static let onBothSides = LlamaConfiguration.BranchNorms(
        beforeAttention: "input_layernorm", afterAttention: "post_attention_layernorm",
        beforeFeedForward: "pre_feedforward_layernorm", afterFeedForward: "post_feedforward_layernorm")
}
