import CGraftKernels
import GraftFormats
import GraftLayers
import GraftTensor

/// Reads what sentence-transformers keeps in a model folder: `modules.json` with the modules that
/// it names, and the prompts of `config_sentence_transformers.json`.
///
/// A model whose files ask for what this build does not do is used for everything else: only
/// embedding as they say fails.
struct SentenceModules {
    private let folder: String
    private let hiddenSize: Int

    /// Where a folder says nothing, an embedding is the mean, of length 1.
    static func declaration(of folder: any TensorSource, hiddenSize: Int) -> SentenceDeclaration {
        let modules = SentenceModules(folder: folder.path, hiddenSize: hiddenSize)
        let prompts = Result { () throws(GraftError) in try modules.prompts() }
        return SentenceDeclaration(
            embedding: Result { () throws(GraftError) in try modules.embedding(prompts) }, prompts: prompts)
    }

    private func embedding(
        _ prompts: Result<SentenceDeclaration.Prompts, GraftError>
    ) throws(GraftError) -> SentenceEmbedding {
        guard let file = try optional("modules.json") else {
            return SentenceEmbedding([.mean], steps: [.normalize])
        }
        guard let modules = file.arrayValue else {
            throw GraftError(.corruptFile, "\(folder)/modules.json: expected an array of modules, found \(file.kind)")
        }
        var poolings: [Pooling] = []
        var steps: [SentenceEmbedding.Step] = []
        for (index, module) in modules.enumerated() {
            let module = try module.requireObject()
            let path = try module.string("path")
            let type = try type(module)
            guard (type == "Transformer") == (index == 0), (type == "Pooling") == (index == 1) else {
                throw refused("module \(index) is a \(type); expected a Transformer, a Pooling, and then others")
            }
            switch type {
            case "Transformer":
                guard path.isEmpty else { throw refused("the Transformer is in folder \"\(path)\"; expected \"\"") }
            case "Pooling": poolings = try pooling(try place(path), prompts)
            case "Normalize":
                try checkNames(try optionalObject(try place(path) + "/config.json") ?? JSONObject(), type)
                steps.append(.normalize)
            case "Dense":
                let embedding = SentenceEmbedding(poolings, steps: steps)
                steps.append(.dense(try dense(try place(path), inputs: embedding.width(hiddenSize: hiddenSize))))
            case "Dropout": break  // only in training
            default: throw refused("module \(index) is a \(type), which this build does not do")
            }
        }
        guard !poolings.isEmpty else { throw refused("expected a Pooling after the Transformer") }
        return SentenceEmbedding(poolings, steps: steps)
    }

    /// The class of a module, wherever its release of sentence-transformers has it.
    private func type(_ module: JSONObject) throws(GraftError) -> String {
        let name = try module.string("type")
        let steps = name.split(separator: ".")
        guard steps.first == "sentence_transformers", let type = steps.last else {
            throw refused("a module of type \"\(name)\"; expected one of sentence_transformers")
        }
        return String(type)
    }

    private func place(_ path: String) throws(GraftError) -> String {
        guard FileKind.isPlainName(path) else { throw refused("path \"\(path)\": expected the name of a folder") }
        return path
    }

    // ---- Pooling ----

    /// The modes in the order of their vectors, under their names of now and of before.
    private static let modes: [(name: String, flag: String, pooling: Pooling)] = [
        ("cls", "pooling_mode_cls_token", .first), ("max", "pooling_mode_max_tokens", .maximum),
        ("mean", "pooling_mode_mean_tokens", .mean),
        ("mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", .rootMean),
        ("weightedmean", "pooling_mode_weightedmean_tokens", .weightedMean),
        ("lasttoken", "pooling_mode_lasttoken", .last),
    ]
    private static let widthKeys = ["embedding_dimension", "word_embedding_dimension"]

    private func pooling(
        _ path: String, _ prompts: Result<SentenceDeclaration.Prompts, GraftError>
    ) throws(GraftError) -> [Pooling] {
        let file = path + "/config.json"
        let place = folder + "/" + file
        let config = try JSON(contentsOf: place).requireObject(in: place)
        let known = Self.widthKeys + ["pooling_mode", "include_prompt"] + Self.modes.map(\.flag)
        for key in config.keys where !known.contains(key) {
            throw refused("setting \"\(key)\", which this build does not do", file)
        }
        for key in Self.widthKeys {
            if let width = try config.optionalInt(key), width != hiddenSize {
                throw GraftError(
                    .incompatible, "\(folder)/\(file): \(key) is \(width); the model's hidden size is \(hiddenSize)")
            }
        }
        if try config.optionalBool("include_prompt") == false,
            try prompts.get().named.contains(where: { $0.text != "" })
        {
            throw refused("include_prompt is false: leaving prompts out of a pooling is not done", file)
        }
        let names: [String]
        switch config["pooling_mode"] {
        case .string(let name): names = [name]
        case .array: names = try config.strings("pooling_mode")
        case nil, .null:
            var active: [Pooling] = []
            for mode in Self.modes where try config.optionalBool(mode.flag) == true { active.append(mode.pooling) }
            return active.isEmpty ? [.mean] : active
        default: throw config.unexpected("pooling_mode", expected: "a name or an array of names")
        }
        var poolings: [Pooling] = []
        for name in names {
            guard let mode = Self.modes.first(where: { $0.name == name }) else {
                throw refused(
                    "pooling_mode \"\(name)\"; expected one of " + Self.modes.map(\.name).joined(separator: ", "), file)
            }
            poolings.append(mode.pooling)
        }
        guard !poolings.isEmpty else { throw config.unexpected("pooling_mode", expected: "at least one name") }
        return poolings
    }

    // ---- Dense ----

    private func dense(_ path: String, inputs: Int) throws(GraftError) -> SentenceDense {
        let file = path + "/config.json"
        let place = folder + "/" + file
        let config = try JSON(contentsOf: place).requireObject(in: place)
        try checkNames(config, file)
        if try config.optionalBool("use_residual") == true { throw refused("use_residual is not done", file) }
        let outputs = try config.int("out_features")
        guard try config.int("in_features") == inputs, (1...1 << 20).contains(outputs) else {
            throw GraftError(
                .incompatible,
                "\(folder)/\(file): \(try config.int("in_features")) in_features and \(outputs) out_features; the vector "
                    + "before it has \(inputs)")
        }
        let activation = try activation(try config.optionalString("activation_function"), file)
        let hasBias = try config.optionalBool("bias") ?? true
        let weights = "\(folder)/\(path)/model.safetensors"
        if FileKind.of(weights) == .nothing, FileKind.of("\(folder)/\(path)/pytorch_model.bin") != .nothing {
            throw refused(
                "is a Python pickle, which can run any code: save the model as safetensors", path + "/pytorch_model.bin"
            )
        }
        let tensors = try SafetensorsFile(path: weights, copies: true)
        return SentenceDense(
            inputs: inputs, outputs: outputs, activation: activation,
            weight: try numbers(tensors, "linear.weight", [outputs, inputs]),
            bias: hasBias ? try numbers(tensors, "linear.bias", [outputs]) : nil)
    }

    private func activation(_ name: String?, _ file: String) throws(GraftError) -> Activation {
        guard let name else { return .tanh }
        let steps = name.split(separator: ".")
        if steps.prefix(2) == ["torch", "nn"] {
            switch steps.last {
            case "Tanh": return .tanh
            case "Identity": return .identity
            case let other?: if let activation = Activation(name: other.lowercased()) { return activation }
            case nil: break
            }
        }
        throw refused("activation_function \"\(name)\", which this build does not do", file)
    }

    private func numbers(
        _ file: SafetensorsFile, _ name: String, _ shape: [Int]
    ) throws(GraftError) -> Memory {
        guard let tensor = file[name], tensor.shape == shape, let type = tensor.elementType.kernelType else {
            throw GraftError(
                .incompatible,
                "\(file.path): expected tensor \"\(name)\" of shape \(shape) in F32, F16 or BF16, found "
                    + (file[name].map { "\($0.elementType.rawValue) \($0.shape)" } ?? "none"))
        }
        let count = shape.reduce(1, *)
        let memory = try Memory(byteCount: count * 4)
        if let base = tensor.bytes.baseAddress { gk_to_float32(Int64(count), base, type, memory.floats()) }
        return memory
    }

    // ---- Prompts ----

    private func prompts() throws(GraftError) -> SentenceDeclaration.Prompts {
        guard let config = try optionalObject("config_sentence_transformers.json") else {
            return SentenceDeclaration.Prompts(named: [], defaultName: nil)
        }
        // sentence-transformers has these two where a folder does not say otherwise.
        var named = [(name: "query", text: ""), (name: "document", text: "")]
        for (name, value) in try config.optionalObject("prompts") ?? JSONObject() {
            guard let text = value.isNull ? "" : value.stringValue, !name.utf8.contains(0), !text.utf8.contains(0)
            else {
                throw config.unexpected("prompts", expected: "names with texts")
            }
            named.removeAll { $0.name == name }
            named.append((name, text))
        }
        let defaultName = try config.optionalString("default_prompt_name")
        if let defaultName, !named.contains(where: { $0.name == defaultName }) {
            throw config.unexpected("default_prompt_name", expected: "the name of a prompt")
        }
        return SentenceDeclaration.Prompts(named: named, defaultName: defaultName)
    }

    // ---- Files ----

    /// Modules pass on what they are not told to take elsewhere.
    private func checkNames(_ config: JSONObject, _ file: String) throws(GraftError) {
        for key in ["module_input_name", "module_output_name"] {
            if let name = try config.optionalString(key), name != "sentence_embedding" {
                throw refused("\(key) is \"\(name)\"; expected \"sentence_embedding\"", file)
            }
        }
    }

    private func optional(_ name: String) throws(GraftError) -> JSON? {
        try JSON.optional(contentsOf: folder + "/" + name)
    }

    private func optionalObject(_ name: String) throws(GraftError) -> JSONObject? {
        try optional(name)?.requireObject(in: folder + "/" + name)
    }

    private func refused(_ what: String, _ file: String = "modules.json") -> GraftError {
        GraftError(.unsupported, "\(folder)/\(file): \(what)")
    }
}
