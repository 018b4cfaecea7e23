import GraftFormats
import GraftLayers
import GraftTensor

/// The architectures of this build, by `model_type` of config.json. A new one is its file and one
/// line here.
package enum Architectures {
    static let all: [any Architecture.Type] = [
        Albert.self, Bart.self, Bert.self, DistilBert.self, Electra.self, Gemma.self, Gemma2.self, Gemma3.self,
        GPT2.self, Llama.self, Marian.self, MBart.self, Mistral.self, ModernBert.self, MPNet.self, Qwen2.self,
        Qwen3.self, Roberta.self, SmolLM3.self, T5.self, MT5.self, XLMRoberta.self, GPTNeoX.self, OLMo2.self,
        Phi3.self, DebertaV2.self, NomicBert.self,
    ]

    /// The first that has files of llama.cpp under its name reads them.
    static func dialect(of architecture: String) -> GGUFDialect? {
        all.first { $0.conventions.architecture == architecture }?.ggufDialect
    }

    package static var names: [String] { all.map { $0.conventions.architecture } }

    /// Loads a model folder in Hugging Face's layout, or a GGUF file.
    package static func load(
        path: String, precision: Precision, threadCount: Int = 1
    ) throws(GraftError) -> Model {
        try load(try source(path: path), precision: precision, threadCount: threadCount)
    }

    /// What a model is read from.
    package static func source(path: String) throws(GraftError) -> any TensorSource {
        let stored = try stored(path: path)
        return try architecture(of: stored)?.view(stored) ?? stored
    }

    private static func stored(path: String) throws(GraftError) -> any TensorSource {
        guard GGUFFile.isOne(path) else { return try ModelFolder(path: path) }
        let file = try GGUFFile(path: path)
        let name = try file.header.string("general.architecture")
        if let kind = try file.header.optionalString("general.type"), kind != "model" {
            throw GraftError(.unsupported, "\(path): general.type is \"\(kind)\"; expected \"model\"")
        }
        guard let architecture = all.first(where: { $0.ggufName == name }), let dialect = architecture.ggufDialect
        else {
            var known: [String] = []
            for name in all.compactMap({ $0.ggufName }) where !known.contains(name) { known.append(name) }
            throw GraftError(
                .unsupported,
                "\(path): general.architecture \"\(name)\" is not known to this build, which reads "
                    + known.joined(separator: ", "))
        }
        return try dialect.source(file, architecture: architecture.conventions)
    }

    /// Loads a model, with so many threads: 0 means one for each core.
    package static func load(
        _ folder: any TensorSource, precision: Precision, threadCount: Int = 1
    ) throws(GraftError) -> Model {
        guard let architecture = try architecture(of: folder) else {
            let type = try type(folder.config)
            throw GraftError(
                .unsupported,
                "\(folder.path)/config.json: model_type \"\(type)\" is not known to this build, which has "
                    + names.joined(separator: ", "))
        }
        return try architecture.load(folder, precision: precision, team: try Team(threadCount: threadCount))
    }

    private static func architecture(of folder: any TensorSource) throws(GraftError) -> (any Architecture.Type)? {
        let type = try type(folder.config)
        return all.first { $0.conventions.architecture == type || $0.holders.contains(type) }
    }

    /// `model_type`, or where a file lacks it, what the class in `architectures` is of.
    private static func type(_ config: JSON) throws(GraftError) -> String {
        if let type = try config.optionalString("model_type") { return type }
        let name = try config.optionalStrings("architectures")?.first ?? ""
        let known = all.map { $0.conventions }.first {
            name == $0.className + "Model" || name.hasPrefix($0.className + "For")
        }
        if let known { return known.architecture }
        guard name.isEmpty else {
            throw config.unexpected("model_type", expected: "a string, since architectures has only \"\(name)\"")
        }
        return try config.string("model_type")
    }
}
