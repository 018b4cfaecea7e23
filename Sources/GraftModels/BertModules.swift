/// What an encoder of BERT's formula calls its modules. Those of a layer stand below `layers` and
/// its number.
struct BertModules {
    let layers: String
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

    static let bert = BertModules(
        layers: "encoder.layer.", queryKeyValue: ["query", "key", "value"].map { "attention.self." + $0 },
        attentionOutput: "attention.output.dense", attentionEnd: "attention.output",
        attentionNorm: "attention.output.LayerNorm", up: "intermediate.dense", down: "output.dense",
        feedForwardEnd: "output", feedForwardNorm: "output.LayerNorm")
}
