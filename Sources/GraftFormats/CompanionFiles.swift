import GraftTensor

/// What lies in a model's folder beside its settings and weights: the tokenizer, settings of how to
/// generate, modules that make vectors of sentences, a description.
package enum CompanionFiles {
    /// sentence-transformers' settings are in the first of these that holds any.
    package static let sentenceSettings = [
        "bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet",
    ].map { "sentence_\($0)_config.json" }

    /// Endings of files that hold weights, or say where they are, in any format.
    private static let weightEndings = [
        ".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json", ".pt", ".pth", ".ckpt", ".pkl", ".h5",
        ".msgpack", ".ot", ".tflite", ".onnx", ".onnx_data", ".gguf", ".ggml",
    ]

    static func isWeights(_ name: String) -> Bool {
        let name = name.lowercased()
        return weightEndings.contains(where: name.hasSuffix)
    }

    /// Their names, with those of folders that are modules: "1_Pooling/config.json". Hidden files
    /// are the host's own.
    static func names(in folder: String) throws(GraftError) -> [String] {
        var names: [String] = []
        for name in try FileSystem.names(in: folder) where !name.hasPrefix(".") {
            switch FileKind.of(folder + "/" + name) {
            case .file where !isWeights(name) && name != "adapter_config.json": names.append(name)
            case .folder:
                guard name.first?.isNumber ?? false else { continue }
                for inner in try FileSystem.names(in: folder + "/" + name)
                where FileKind.of(folder + "/" + name + "/" + inner) == .file {
                    names.append(name + "/" + inner)
                }
            default: break
            }
        }
        return names
    }
}
