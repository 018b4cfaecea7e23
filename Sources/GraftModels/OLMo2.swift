import GraftLayers

/// OLMo 2 (OLMo Team 2025): Llama with norms behind the sub-layers, and of queries and keys over
/// all heads together before they turn.
///
///     a = h + norm(W_o attention(rotate(norm(W_q h)), rotate(norm(W_k h)), W_v h))
///     h = a + norm(W_down (f(W_gate a) ∘ W_up a))                        for each layer
enum OLMo2: LlamaKin {
    static let conventions = Llama.conventions.named(
        "olmo2", className: "Olmo2", answerBackbone: Llama.conventions.backbone)

    static let variant = LlamaConfiguration.Variant(
        biases: .configuredInAttention, queryKeyNorms: .ofAllHeads,
        branchNorms: .init(
            beforeAttention: nil, afterAttention: "post_attention_layernorm", beforeFeedForward: nil,
            afterFeedForward: "post_feedforward_layernorm"),
        normEpsilon: 1e-5, paddingToken: 1, endToken: 50_279)
}
