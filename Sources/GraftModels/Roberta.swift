import GraftFormats
import GraftLayers
import GraftTensor

/// RoBERTa (Liu et al. 2019): BERT, but positions are counted past the padding token's number, and
/// the head of a row reads its first token through a dense layer of its own.
///
///     logits = W_o tanh(W_d h[first token])
enum Roberta: Architecture {
    static let conventions = Conventions(
        architecture: "roberta", backbone: "roberta", headPath: "classifier.out_proj", headHasBias: true,
        headDensePath: "classifier.dense", choiceHeadPath: "classifier", tokenHeadPath: "classifier",
        maskedHead: MaskedHeadNames(
            dense: "lm_head.dense", norm: "lm_head.layer_norm", decoder: "lm_head.decoder",
            biases: ["lm_head.decoder.bias", "lm_head.bias"], activation: .gelu),
        summaryToken: .first,
        defaultTargets: [
            "lora": ["query", "value"], "ia3": ["key", "value", "output.dense"],
            "adalora": ["query", "key", "value", "dense"],
        ],
        feedForwardModules: ["output.dense"], className: "Roberta")

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        try load(folder, conventions, precision: precision, team: team)
    }

    static func load(
        _ folder: any TensorSource, _ conventions: Conventions, precision: Precision, team: Team
    ) throws(GraftError) -> Model {
        let configuration = try BertConfiguration(
            folder.config, path: folder.path, .init(paddingToken: 1, countsPastPadding: true))
        return try Bert.load(folder, conventions, configuration, precision: precision, team: team)
    }
}

/// XLM-RoBERTa (Conneau et al. 2020): RoBERTa of another vocabulary. Where PEFT has no default
/// targets for it, RoBERTa's serve.
enum XLMRoberta: Architecture {
    static let conventions = Roberta.conventions.named("xlm-roberta", className: "XLMRoberta")

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        try Roberta.load(folder, conventions, precision: precision, team: team)
    }
}
