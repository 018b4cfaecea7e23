import GraftFormats
import GraftLayers
import GraftTensor

/// An architecture of Llama's modules and formula, which differs from it in settings and names.
protocol LlamaKin: Architecture {
    static var variant: LlamaConfiguration.Variant { get }
}

extension LlamaKin {
    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        let configuration = try LlamaConfiguration(folder.config, path: folder.path, variant)
        return try Llama.load(folder, conventions, configuration, precision: precision, team: team)
    }
}
