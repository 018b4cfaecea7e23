import GraftFormats
import GraftLayers
import GraftTensor

/// Nomic BERT (Nussbaum et al. 2024): BERT with rotary positions in place of a table, a gated
/// feed-forward, and no biases but those of norms.
///
///     h = dropout(LayerNorm(word[t] + type[s]))
///     a = LayerNorm(h + dropout(W_o attention(rotate(W_q h), rotate(W_k h), W_v h)))
///     h = LayerNorm(a + dropout(W_d (f(W_g a) ∘ W_u a)))     for each layer
///     pooled = tanh(W_p h[first token])
///
/// The checkpoints that Nomic AI releases have GPT-2's settings, names of their own, and queries,
/// keys and values in one tensor; transformers 5 writes such names too. `view` has them as the
/// modules of transformers 5 are called, where PEFT's adapters belong. PEFT has no default targets
/// for it; Llama's serve.
enum NomicBert: Architecture {
    static let conventions = Conventions(
        architecture: "nomic_bert", backbone: "nomic_bert", headPath: "classifier", headHasBias: true,
        maskedHead: MaskedHeadNames(
            dense: "cls.predictions.transform.dense", norm: "cls.predictions.transform.layer_norm",
            decoder: "cls.predictions.decoder", biases: ["cls.predictions.decoder.bias", "cls.predictions.bias"]),
        summaryToken: .first,
        defaultTargets: ["lora": ["q_proj", "v_proj"], "ia3": ["k_proj", "v_proj", "down_proj"]],
        feedForwardModules: ["down_proj"], className: "NomicBert")

    private static let modules = {
        var modules = BertModules(
            layer: { "layers.\($0)." }, queryKeyValue: ["q_proj", "k_proj", "v_proj"].map { "self_attn." + $0 },
            attentionOutput: "self_attn.o_proj", attentionEnd: "self_attn", attentionNorm: "post_attention_layernorm",
            up: "mlp.up_proj", down: "mlp.down_proj", feedForwardEnd: "mlp", feedForwardNorm: "post_mlp_layernorm")
        modules.gate = "mlp.gate_proj"
        modules.hasBiases = false
        return modules
    }()

    static let variant = BertConfiguration.Variant(
        activation: "silu", dropout: 0, maximumLength: 2048, rotaryBase: 1000)

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        let configuration = try BertConfiguration(folder.config, path: folder.path, variant)
        return try Bert.load(folder, conventions, configuration, modules, precision: precision, team: team)
    }
}
