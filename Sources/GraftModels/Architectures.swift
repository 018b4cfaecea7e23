import GraftFormats
import GraftLayers
import GraftTensor

/// The architectures of this build, by `model_type` of config.json. A new one is its file and one line here.
package enum Architectures {
    private static let all:
        [(name: String, load: @Sendable (ModelFolder, Precision) throws(GraftError) -> any Transformer)] =
            [
                ("bert", Bert.init),
                ("llama", Llama.init),
            ]

    package static var names: [String] { all.map(\.name) }

    /// Loads a model folder in Hugging Face's layout.
    package static func load(path: String, precision: Precision) throws(GraftError) -> any Transformer {
        let folder = try ModelFolder(path: path)
        let type = try folder.config.string("model_type")
        guard let architecture = all.first(where: { $0.name == type }) else {
            throw GraftError(
                .unsupported,
                "\(path)/config.json: model_type \"\(type)\" is not known to this build, which has "
                    + names.joined(separator: ", "))
        }
        return try architecture.load(folder, precision)
    }
}
