import CGraftKernels
import GraftFormats
import GraftLayers
import GraftTensor

extension Adapter {
    /// Reads a folder, in the layout that its adapter_config.json is of. Every tensor and every setting is honoured, or the
    /// load fails and names it.
    package convenience init(model: any Transformer, _ input: InputFolder) throws(GraftError) {
        var folder = try AdapterFolder(input)
        let content: AdapterContent
        do throws(GraftError) {
            let layout = try AdapterLayouts.of(folder).init(&folder, model: model)
            content = try AdapterContent(
                model: model, layout: layout, seed: 0, use: .load, place: folder.configPath)
        } catch  where error.code == .invalidArgument {  // these settings are a file's, not the caller's
            throw GraftError(.corruptFile, error.message)
        }
        try content.read(folder)
        content.maximumLength = try TrainedLength.read(folder.weights.map(\.file))
        try content.keepOriginal(of: folder)
        self.init(loaded: content)
    }
}

extension Adapter {
    package convenience init(model: any Transformer, path: String) throws(GraftError) {
        try self.init(model: model, InputFolder(path: path))
    }
}

extension AdapterContent {
    /// Fills every planned tensor from the folder, and accounts for every tensor there.
    fileprivate func read(_ folder: AdapterFolder) throws(GraftError) {
        var expected: Set<String> = []
        for tensor in plan.tensors {
            try Memory.check()
            expected.insert(tensor.name)
            guard let stored = folder.tensor(tensor.name) else {
                throw GraftError(
                    .corruptFile, "\(folder.path): tensor \"\(tensor.name)\" of shape \(tensor.shape) is missing")
            }
            guard stored.shape == tensor.shape else {
                throw GraftError(
                    .incompatible,
                    "\(stored.file.path): tensor \"\(tensor.name)\" has shape \(stored.shape); the settings and the model "
                        + "ask for \(tensor.shape)")
            }
            guard let type = stored.elementType.kernelType else {
                throw GraftError(
                    .unsupported,
                    "\(stored.file.path): tensor \"\(tensor.name)\" holds \(stored.elementType.rawValue); expected F32, "
                        + "F16 or BF16")
            }
            if let base = stored.bytes.baseAddress {
                gk_to_float32(Int64(tensor.parameter.count), base, type, values + tensor.parameter.offset)
            }
        }
        for (_, file) in folder.weights {
            for stored in file.tensors where !expected.contains(stored.name) {
                guard try layout.repeats(stored, in: folder, plan) else {
                    throw GraftError(
                        .unsupported,
                        "\(file.path): tensor \"\(stored.name)\" of shape \(stored.shape) belongs to nothing that the "
                            + "settings and the model have")
                }
            }
        }
    }

    /// Keeps what the folder's files have beside the numbers.
    fileprivate func keepOriginal(of folder: AdapterFolder) throws(GraftError) {
        var parameters: [String: Parameter] = [:]
        for tensor in plan.tensors { parameters[tensor.name] = tensor.parameter }
        var files = folder.files
        for (name, file) in folder.weights {
            files.add(try OriginalWeights(file, parameters: parameters, values: values), as: name)
        }
        original = files
    }
}
