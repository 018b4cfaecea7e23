/// What an encoder of BERT's formula calls its modules.
struct BertModules {
    /// What stands before those of a layer.
    let layer: @Sendable (Int) -> String
    let queryKeyValue: [String]
    let attentionOutput: String
    /// The module that holds the end of attention, and its norm.
    let attentionEnd: String
    let attentionNorm: String
    let up: String
    let down: String
    /// The module that holds the end of the feed-forward, and its norm.
    let feedForwardEnd: String
    let feedForwardNorm: String
    /// From the width of the tables to that of the layers.
    var projection: String?
    /// Whether it is there even where they are alike.
    var projectsAlways = false
    var pooler = "pooler.dense"
    /// Of a gated feed-forward.
    var gate: String?
    /// Whether the modules of the layers have biases.
    var hasBiases = true

    static let bert = BertModules(
        layer: { "encoder.layer.\($0)." }, queryKeyValue: ["query", "key", "value"].map { "attention.self." + $0 },
        attentionOutput: "attention.output.dense", attentionEnd: "attention.output",
        attentionNorm: "attention.output.LayerNorm", up: "intermediate.dense", down: "output.dense",
        feedForwardEnd: "output", feedForwardNorm: "output.LayerNorm")
}
