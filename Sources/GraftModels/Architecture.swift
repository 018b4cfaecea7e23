import GraftFormats
import GraftLayers
import GraftTensor

/// How models of one `model_type` are built from config.json and weights, and what their things are
/// called.
protocol Architecture: Sendable {
    static var conventions: Conventions { get }
    /// The `model_type` of checkpoints that hold a model of this architecture among others, of
    /// which `view` makes it.
    static var holders: [String] { get }
    /// nil where files of llama.cpp are not read.
    static var ggufDialect: GGUFDialect? { get }
    /// A checkpoint in the layout that `load` reads; that of transformers is itself.
    static func view(_ folder: any TensorSource) throws(GraftError) -> any TensorSource
    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model
}

extension Architecture {
    static var ggufDialect: GGUFDialect? { nil }

    static var holders: [String] { [] }

    static func view(_ folder: any TensorSource) throws(GraftError) -> any TensorSource { folder }

    /// `general.architecture` of its files of llama.cpp, if any.
    static var ggufName: String? { ggufDialect.map { $0.name ?? conventions.architecture } }

    /// Dropouts of layer `index`: in attention, after it, after the feed-forward. The embeddings
    /// have 0.
    static func dropoutSite(_ index: Int, _ number: Int) -> Int { 1 + index * 3 + number }
}
