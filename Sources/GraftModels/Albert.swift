import GraftFormats
import GraftLayers
import GraftTensor

/// ALBERT (Lan et al. 2020): BERT whose tables are narrower than its layers, and whose layers share
/// their modules.
///
/// A module of several layers is one site: what an adapter does there it does in each of them, and
/// its gradients add up. Layer `i` has the modules of group `i · groups / layers`, which are
/// `inner_group_num` layers of their own. PEFT has no default targets for it; BERT's serve.
enum Albert: Architecture {
    static let conventions = Conventions(
        architecture: "albert", backbone: "albert", headPath: "classifier", headHasBias: true,
        choiceHeadPath: "classifier",
        maskedHead: MaskedHeadNames(
            dense: "predictions.dense", norm: "predictions.LayerNorm", decoder: "predictions.decoder",
            biases: ["predictions.decoder.bias", "predictions.bias"]),
        summaryToken: .first,
        defaultTargets: ["lora": ["query", "value"], "ia3": ["key", "value", "ffn_output"]],
        feedForwardModules: ["ffn_output"], className: "Albert",
        adapterHolders: [.attention: "attention_adapters", .feedForward: "output_adapters"])

    private static let keys = BertConfiguration.Keys(
        headDropout: "classifier_dropout_prob", tokenHeadDropout: "classifier_dropout_prob")

    private static func modules(groupSize: Int) -> BertModules {
        BertModules(
            layer: { "encoder.albert_layer_groups.\($0 / groupSize).albert_layers.\($0 % groupSize)." },
            queryKeyValue: ["query", "key", "value"].map { "attention." + $0 }, attentionOutput: "attention.dense",
            attentionEnd: "attention.output_dropout", attentionNorm: "attention.LayerNorm", up: "ffn",
            down: "ffn_output", feedForwardEnd: "dropout", feedForwardNorm: "full_layer_layer_norm",
            projection: "encoder.embedding_hidden_mapping_in", projectsAlways: true, pooler: "pooler")
    }

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        let configuration = try BertConfiguration(
            folder.config, path: folder.path,
            .init(
                keys: keys, embeddingSize: 128, sharesLayers: true, activation: "gelu_new", dropout: 0,
                dropsFeedForward: false, adaptsResidual: true, headDropout: 0.1))
        return try Bert.load(
            folder, conventions, configuration, modules(groupSize: configuration.groupSize), precision: precision,
            team: team)
    }
}
