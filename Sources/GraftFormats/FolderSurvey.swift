import GraftTensor

/// What a folder holds in which the files that were looked for are not there, for the message that
/// says so.
package enum FolderSurvey {
    /// What was asked for, and the files that it is read from.
    package enum Wanted: Sendable {
        case model, adapter, tokenizer

        var files: String {
            switch self {
            case .model:
                "a model folder has config.json beside model.safetensors, or beside model.safetensors.index.json and "
                    + "the shards that it names; a GGUF file is a model by itself"
            case .adapter:
                "an adapter folder has adapter_config.json beside adapter_model.safetensors (PEFT) or "
                    + "adapter.safetensors (AdapterHub)"
            case .tokenizer:
                "a tokenizer is read from tokenizer.json, from spiece.model, spm.model, sentencepiece.bpe.model or "
                    + "tokenizer.model, from vocab.txt, from vocab.json and merges.txt, or from vocab.json, source.spm and "
                    + "target.spm"
            }
        }

        var folder: String {
            switch self {
            case .model: "a model folder"
            case .adapter: "an adapter folder"
            case .tokenizer: "a tokenizer's folder"
            }
        }

        /// Files that this build does not read in their place, by the end of their names, and what
        /// they are.
        fileprivate var foreign: [(endings: [String], meaning: String)] {
            let formats = self == .tokenizer ? FolderSurvey.tokenizers : FolderSurvey.weights
            return formats + FolderSurvey.ggml
        }
    }

    private typealias Format = (endings: [String], meaning: String)

    private static let ggml: [Format] = [
        (
            [".gguf"],
            "a GGUF file of llama.cpp, which is given by its own path where a model or its tokenizer is loaded"
        ),
        ([".ggml"], "for llama.cpp: take the folder in Hugging Face's layout that it was made from"),
    ]

    private static let weights: [Format] = [
        (
            [".bin", ".bin.index.json", ".pt", ".pth", ".ckpt", ".pkl"],
            "a Python pickle, which can run code when it is read: in Python, load it with transformers, PEFT or adapters "
                + "and call save_pretrained, which writes safetensors"
        ),
        ([".onnx", "onnx"], "for ONNX Runtime: take the folder in Hugging Face's layout that it was made from"),
        (
            [".h5", ".msgpack", ".ot", ".tflite", ".mlpackage"],
            "for another framework: load it with transformers and call save_pretrained, which writes safetensors"
        ),
    ]

    private static let tokenizers: [Format] = [
        (
            [".model"],
            "a tokenizer in another form: in Python, load it with transformers' AutoTokenizer and call "
                + "save_pretrained, which writes tokenizer.json"
        )
    ]

    /// What training leaves beside the weights.
    private static let besides = ["training_args.", "optimizer.", "scheduler.", "rng_state"]

    /// The error of a path in which `missing` was not found.
    package static func error(_ path: String, missing: String, wanted: Wanted) -> GraftError {
        let kind = FileKind.of(path)
        guard kind == .folder else {
            let name = FileSystem.split(path).name
            if kind == .file, let meaning = meaning(of: name, wanted) {
                return GraftError(.unsupported, "\(path): it is \(meaning); \(wanted.files)")
            }
            let advice = kind == .file ? "; give the folder that holds the file: \(wanted.files)" : ""
            return GraftError(.notFound, "\(path): expected \(wanted.folder), found \(kind.rawValue)\(advice)")
        }
        return error(path, missing: missing, wanted: wanted, names: (try? FileSystem.names(in: path)) ?? [])
    }

    /// The same of a folder that has files of these names.
    static func error(_ path: String, missing: String, wanted: Wanted, names: [String]) -> GraftError {
        let names = names.sorted()
        let start = "\(path): \(missing)"
        if let (name, meaning) = names.lazy.compactMap({ name in meaning(of: name, wanted).map { (name, $0) } }).first {
            return GraftError(.unsupported, "\(start): \(name) is \(meaning); \(wanted.files)")
        }
        if wanted != .adapter, names.contains("adapter_config.json") {
            return GraftError(
                .notFound, "\(start): this is an adapter folder, which is loaded as an adapter; \(wanted.files)")
        }
        if wanted == .adapter, names.contains("config.json") {
            return GraftError(
                .notFound, "\(start): this is a model folder, which is loaded as a model; \(wanted.files)")
        }
        return GraftError(.notFound, "\(start): \(list(names)); \(wanted.files)")
    }

    private static func meaning(of name: String, _ wanted: Wanted) -> String? {
        let name = name.lowercased()
        guard !besides.contains(where: name.hasPrefix) else { return nil }
        return wanted.foreign.first { $0.endings.contains(where: name.hasSuffix) }?.meaning
    }

    private static func list(_ names: [String]) -> String {
        guard !names.isEmpty else { return "the folder is empty" }
        let first = names.prefix(5).map { JSON.string($0).shortText }.joined(separator: ", ")
        return "the folder has \(first)" + (names.count > 5 ? " and \(names.count - 5) more" : "")
    }
}
