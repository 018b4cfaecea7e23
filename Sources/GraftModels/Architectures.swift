import GraftFormats
import GraftLayers
import GraftTensor

/// The architectures of this build, by `model_type` of config.json. A new one is its file and one line here.
package enum Architectures {
    private static let all:
        [(name: String, load: @Sendable (ModelFolder, Precision, Team) throws(GraftError) -> any Transformer)] =
            [
                ("bert", Bert.init),
                ("llama", Llama.init),
            ]

    package static var names: [String] { all.map(\.name) }

    /// Loads a model folder in Hugging Face's layout, with so many threads: 0 means one for each core.
    package static func load(
        path: String, precision: Precision, threadCount: Int = 1
    ) throws(GraftError) -> any Transformer {
        let folder = try ModelFolder(path: path)
        let type = try folder.config.string("model_type")
        guard let architecture = all.first(where: { $0.name == type }) else {
            throw GraftError(
                .unsupported,
                "\(path)/config.json: model_type \"\(type)\" is not known to this build, which has "
                    + names.joined(separator: ", "))
        }
        return try architecture.load(folder, precision, try Team(threadCount: threadCount))
    }
}
