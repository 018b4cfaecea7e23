import CGraftKernels
import GraftFormats
import GraftLayers
import GraftTensor

extension Adapter {
    /// Reads a folder, in the layout that its adapter_config.json is of. Every tensor and every
    /// setting is honoured, or the load fails and names it.
    package convenience init(model: Model, _ input: InputFolder) throws(GraftError) {
        var folder = try AdapterFolder(input)
        let content: AdapterContent
        do throws(GraftError) {
            let layout = try AdapterLayouts.of(folder).init(&folder, model: model)
            content = try AdapterContent(
                model: model, layout: layout, seed: 0, use: .load, place: folder.configPath)
        } catch  where error.code == .invalidArgument {  // a file's settings, not the caller's
            throw GraftError(.corruptFile, error.message)
        }
        try content.read(folder)
        content.maximumLength = try TrainedLength.read(folder.weights.map(\.file))
        try content.keepOriginal(of: folder)
        self.init(loaded: content)
    }
}

extension Adapter {
    package convenience init(model: Model, path: String) throws(GraftError) {
        try self.init(model: model, InputFolder(path: path))
    }
}

extension AdapterContent {
    /// Fills every planned tensor from the folder, and accounts for every tensor there.
    fileprivate func read(_ folder: AdapterFolder) throws(GraftError) {
        let expected = Set(plan.tensors.flatMap(\.names).map(ExactString.init))
        for tensor in plan.tensors {
            try Memory.check()
            guard let stored = folder.tensor(tensor.name) else {
                let heads = model.conventions.headPaths.map { names.tensor($0, "") }
                throw ForeignNames.error(
                    folder.path, missing: "\"\(tensor.name)\" of shape \(tensor.shape)",
                    found: folder.tensors.map(\.name).filter { !expected.contains(ExactString($0)) },
                    isKin: plan.tensors.contains { tensor in
                        !heads.contains { tensor.name.hasPrefix($0) } && folder.tensor(tensor.name) != nil
                    },
                    start: names.start, model: "this \(model.architecture) model")
            }
            if let second = tensor.secondName, let twin = folder.tensor(second), !stored.holdsTheSame(as: twin) {
                throw GraftError(
                    .incompatible,
                    "\(stored.file.path): tensors \"\(tensor.name)\" and \"\(second)\" differ, and the model has one table "
                        + "for both")
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
                    "\(stored.file.path): tensor \"\(tensor.name)\" holds \(stored.elementType.rawValue); expected F64, "
                        + "F32, F16 or BF16")
            }
            if let base = stored.bytes.baseAddress {
                gk_to_float32(Int64(tensor.parameter.count), base, type, values + tensor.parameter.offset)
            }
        }
        try requireFinite(.corruptFile, "\(folder.path): ")
        for (name, stored) in folder.tensors where !expected.contains(ExactString(name)) {
            guard try layout.repeats(name, stored, in: folder, plan) else {
                throw GraftError(
                    .unsupported,
                    "\(stored.file.path): tensor \"\(stored.name)\" of shape \(stored.shape) belongs to nothing that the "
                        + "settings and the model have")
            }
        }
    }

    /// Keeps what the folder's files have beside the numbers.
    fileprivate func keepOriginal(of folder: AdapterFolder) throws(GraftError) {
        var planned: [ExactString: Parameter] = [:]
        for tensor in plan.tensors {
            for name in tensor.names { planned[ExactString(name)] = tensor.parameter }
        }
        var parameters: [ExactString: Parameter] = [:]
        for (name, stored) in folder.tensors { parameters[ExactString(stored.name)] = planned[ExactString(name)] }
        var files = folder.files
        for (name, file) in folder.weights {
            files.add(try OriginalWeights(file, parameters: parameters, values: values), as: name)
        }
        original = files
    }
}
