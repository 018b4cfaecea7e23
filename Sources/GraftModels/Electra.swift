import GraftFormats
import GraftLayers
import GraftTensor

/// ELECTRA (Clark et al. 2020), the discriminator: BERT whose tables may be narrower than its
/// layers, without a pooler; the classifier has a dense layer of its own.
///
///     h = W_e dropout(LayerNorm(word[t] + position[i] + type[s]))
///     logits = W_o dropout(gelu(W_d dropout(h[first token])))
enum Electra: Architecture {
    static let conventions = Conventions(
        architecture: "electra", backbone: "electra", headPath: "classifier.out_proj", headHasBias: true,
        headDensePath: "classifier.dense", headActivation: .gelu, tokenHeadPath: "classifier",
        maskedHead: MaskedHeadNames(
            dense: "generator_predictions.dense", norm: "generator_predictions.LayerNorm",
            decoder: "generator_lm_head", biases: ["generator_lm_head.bias"], activation: .gelu),
        summaryToken: .first, defaultTargets: Bert.conventions.defaultTargets,
        feedForwardModules: Bert.conventions.feedForwardModules, className: "Electra")

    private static let modules = {
        var modules = BertModules.bert
        modules.projection = "embeddings_project"
        return modules
    }()

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        let configuration = try BertConfiguration(folder.config, path: folder.path, .init(embeddingSize: 128))
        return try Bert.load(folder, conventions, configuration, modules, precision: precision, team: team)
    }
}
