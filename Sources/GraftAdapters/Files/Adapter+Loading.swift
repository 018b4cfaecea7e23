import CGraftKernels
import GraftFormats
import GraftLayers
import GraftTensor

extension Adapter {
    /// Reads a folder in PEFT's layout. Every tensor and every setting is honoured, or the load fails and names it.
    package convenience init(model: any Transformer, path: String) throws(GraftError) {
        let configPath = path + "/" + AdapterFiles.configName
        let weightsPath = path + "/" + AdapterFiles.weightsName
        let configBytes = try MappedFile.contents(of: configPath)
        guard let config = try JSON(parsing: configBytes, source: configPath).objectValue else {
            throw GraftError(.corruptFile, "\(configPath): expected an object of settings")
        }
        guard config["config"] == nil || config["peft_type"] != nil else {
            throw GraftError(.unsupported, "\(configPath): an AdapterHub adapter; this build reads PEFT's layout")
        }
        let method = try AdapterMethods.peftType(try config.string("peft_type"), place: configPath)
        let file = try SafetensorsFile(path: weightsPath)

        let start = "base_model.model."
        let isLanguageModel = Task(peftName: try config.optionalString("task_type")) == .languageModel
        if isLanguageModel { _ = try LanguageModelHead(model: model) }
        let hasPrefix =
            isLanguageModel || file.tensors.contains { $0.name.hasPrefix(start + model.backbone + ".") }
        let head = try Self.head(of: file, config, model, hasPrefix: hasPrefix, place: configPath)
        let content: AdapterContent
        do throws(GraftError) {
            content = try AdapterContent(
                model: model, method: method, config: config, head: head, hasBackbonePrefix: hasPrefix, seed: 0,
                use: .load, place: configPath,
                original: AdapterFiles(config: configBytes, weights: Array(file.file.bytes)))
        } catch  where error.code == .invalidArgument {  // these settings are a file's, not the caller's
            throw GraftError(.corruptFile, error.message)
        }
        try content.read(file)
        self.init(loaded: content)
    }

    /// The head that the file carries, with its labels: those it was saved with, the base's, or numbered ones.
    private static func head(
        of file: SafetensorsFile, _ config: JSONObject, _ model: any Transformer, hasPrefix: Bool, place: String
    ) throws(GraftError) -> HeadSettings? {
        let task = try config.optionalString("task_type")
        switch task {
        case nil, "FEATURE_EXTRACTION", "SEQ_CLS": break
        case "CAUSAL_LM": return nil
        case .some(let other):
            throw GraftError(
                .unsupported,
                "\(place): task_type \"\(other)\"; expected SEQ_CLS, CAUSAL_LM, FEATURE_EXTRACTION or null")
        }
        let name = "base_model.model.\(model.headPath).weight"
        guard let weight = file[name] else {
            if task == "SEQ_CLS" {
                throw GraftError(
                    .corruptFile, "\(file.path): tensor \"\(name)\" is missing, which task_type SEQ_CLS needs")
            }
            return nil
        }
        guard weight.shape.count == 2, weight.shape[0] > 0 else {
            throw GraftError(.incompatible, "\(file.path): tensor \"\(name)\" has shape \(weight.shape)")
        }
        let count = weight.shape[0]
        var labels: [String] = []
        if let text = file.metadata[AdapterContent.labelsKey],
            let names = try JSON(parsing: text, source: "\(file.path): metadata \"id2label\"").objectValue
        {
            labels = (0..<count).compactMap { names[String($0)]?.stringValue }
        } else if let base = model.baseHead, base.labels.count == count {
            labels = base.labels
        }
        let ownsLabels = file.metadata[AdapterContent.labelsKey] != nil && labels.count == count
        if labels.count != count { labels = (0..<count).map { "LABEL_\($0)" } }
        return HeadSettings(labels: labels, ownsLabels: ownsLabels, dropout: nil, trainsDense: false)
    }
}

extension AdapterContent {
    /// Fills every planned tensor from the file, and accounts for every tensor of the file.
    fileprivate func read(_ file: SafetensorsFile) throws(GraftError) {
        var expected: Set<String> = []
        for tensor in plan.tensors {
            expected.insert(tensor.name)
            guard let stored = file[tensor.name] else {
                throw GraftError(
                    .corruptFile, "\(file.path): tensor \"\(tensor.name)\" of shape \(tensor.shape) is missing")
            }
            guard stored.shape == tensor.shape else {
                throw GraftError(
                    .incompatible,
                    "\(file.path): tensor \"\(tensor.name)\" has shape \(stored.shape); the settings and the model ask "
                        + "for \(tensor.shape)")
            }
            guard let type = stored.elementType.kernelType else {
                throw GraftError(
                    .unsupported,
                    "\(file.path): tensor \"\(tensor.name)\" holds \(stored.elementType.rawValue); expected F32, F16 "
                        + "or BF16")
            }
            if let base = stored.bytes.baseAddress {
                gk_to_float32(Int64(tensor.parameter.count), base, type, values + tensor.parameter.offset)
            }
        }
        for stored in file.tensors where !expected.contains(stored.name) {
            guard try isCopyOfBase(stored, file) else {
                throw GraftError(
                    .unsupported,
                    "\(file.path): tensor \"\(stored.name)\" of shape \(stored.shape) belongs to nothing that the "
                        + "settings and the model have")
            }
        }
    }

    /// PEFT also writes some tensors that repeat what is known: with `bias` "all" the head's biases under their inner
    /// names, and the full table of an adapted embedding. They must agree with what they repeat.
    private func isCopyOfBase(_ stored: StoredTensor, _ file: SafetensorsFile) throws(GraftError) -> Bool {
        let start = "base_model.model."
        guard stored.name.hasPrefix(start) else { return false }
        let name = String(stored.name.dropFirst(start.count))
        if config["bias"]?.stringValue == "all", let (path, isOriginal) = Self.savedBias(name) {
            guard let twin = file[start + path], savedPaths.contains(where: { path == $0 + ".bias" }) else {
                return false
            }
            if isOriginal { return twin.shape == stored.shape }
            return twin.elementType == stored.elementType && twin.bytes.elementsEqual(stored.bytes)
        }
        let suffix = ".base_layer.weight"
        guard name.hasSuffix(suffix), let type = stored.elementType.kernelType else { return false }
        let path = name.dropLast(suffix.count)
        guard
            let index = model.sites.firstIndex(where: { names.path(of: $0) == path }), plan.sites[index]?.delta != nil
        else { return false }
        let site = model.sites[index]
        guard site.kind == .embedding || site.place == .beside, stored.shape == site.weightShape,
            let bytes = stored.bytes.baseAddress
        else { return false }
        // Either may have been rounded where the other was not.
        let count = site.inputs * site.outputs
        let own = try Memory(byteCount: count * 4)
        let copy = try Memory(byteCount: count * 4)
        site.copyWeight(own.floats())
        gk_to_float32(Int64(count), bytes, type, copy.floats())
        try Self.round(own.floats(), count: count, to: type)
        try Self.round(copy.floats(), count: count, to: site.precision.kernelType)
        for index in 0..<count where own.floats()[index] != copy.floats()[index] {
            throw GraftError(
                .incompatible,
                "\(file.path): tensor \"\(stored.name)\" differs from the model's own table: the adapter was made for "
                    + "another base model")
        }
        return true
    }

    private static func round(_ numbers: UnsafeMutablePointer<Float>, count: Int, to type: gk_type) throws(GraftError) {
        guard type != gk_type(GK_FLOAT32) else { return }
        let rounded = try Memory(byteCount: count * 2)
        gk_from_float32(Int64(count), numbers, type, rounded.base)
        gk_to_float32(Int64(count), rounded.base, type, numbers)
    }

    /// The outer name of a bias inside PEFT's wrapper of a saved module, and whether it is the base model's.
    private static func savedBias(_ name: String) -> (path: String, isOriginal: Bool)? {
        var steps = name.split(separator: ".")
        guard steps.last == "bias",
            let place = steps.firstIndex(where: { $0 == "original_module" || $0 == "modules_to_save" })
        else { return nil }
        let isOriginal = steps.remove(at: place) == "original_module"
        // A module that holds others has the adapter's name as well: pooler.modules_to_save.default.dense.bias.
        if !isOriginal, steps[place] == "default" { steps.remove(at: place) }
        return (steps.joined(separator: "."), isOriginal)
    }

    /// Paths of modules that the adapter has in full.
    private var savedPaths: [String] {
        var paths = head == nil ? [] : [model.headPath]
        for (index, site) in model.sites.enumerated() where plan.sites[index]?.weight != nil {
            paths.append(names.path(of: site))
        }
        return paths
    }
}
