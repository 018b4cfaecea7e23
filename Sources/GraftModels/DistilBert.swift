import GraftFormats
import GraftLayers
import GraftTensor

/// DistilBERT (Sanh et al. 2019): BERT without types of tokens and without a pooler, whose
/// classifier has a dense layer of its own, under other names.
///
///     logits = W_o dropout(relu(W_d h[first token]))
enum DistilBert: Architecture {
    static let conventions = Conventions(
        architecture: "distilbert", backbone: "distilbert", headPath: "classifier", headHasBias: true,
        headDensePath: "pre_classifier", headActivation: .relu, headDropsInput: false,
        choiceHeadPath: "classifier",
        maskedHead: MaskedHeadNames(
            dense: "vocab_transform", norm: "vocab_layer_norm", decoder: "vocab_projector",
            biases: ["vocab_projector.bias"]),
        summaryToken: .first,
        defaultTargets: ["lora": ["q_lin", "v_lin"], "ia3": ["k_lin", "v_lin", "lin2"]], feedForwardModules: ["lin2"],
        className: "DistilBert",
        adapterHolders: [.attention: "attention_adapters", .feedForward: "output_adapters"])

    private static let modules = BertModules(
        layer: { "transformer.layer.\($0)." }, queryKeyValue: ["q_lin", "k_lin", "v_lin"].map { "attention." + $0 },
        attentionOutput: "attention.out_lin", attentionEnd: "attention", attentionNorm: "sa_layer_norm",
        up: "ffn.lin1", down: "ffn.lin2", feedForwardEnd: "ffn", feedForwardNorm: "output_layer_norm")

    private static let keys = BertConfiguration.Keys(
        hiddenSize: "dim", layerCount: "n_layers", headCount: "n_heads", intermediateSize: "hidden_dim",
        activation: "activation", hiddenDropout: "dropout", attentionDropout: "attention_dropout",
        headDropout: "seq_classif_dropout", tokenHeadDropout: "dropout", answerHeadDropout: "qa_dropout", epsilon: nil)

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        let configuration = try BertConfiguration(
            folder.config, path: folder.path, .init(keys: keys, hasTypes: false, headDropout: 0.2))
        return try Bert.load(folder, conventions, configuration, modules, precision: precision, team: team)
    }
}
