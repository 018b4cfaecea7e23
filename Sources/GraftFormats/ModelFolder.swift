import GraftTensor

/// A model on disk as Hugging Face lays it out: `config.json` beside `model.safetensors`, or beside
/// `model.safetensors.index.json` and the shards that it names.
package final class ModelFolder: Sendable {
    package let path: String
    /// `config.json`, an object.
    package let config: JSON
    package let files: [SafetensorsFile]
    /// Names of all tensors, in the order of the files and of their bytes.
    package let tensorNames: [String]
    /// Which file has a tensor.
    private let fileOfTensor: [ExactString: Int]

    package init(path: String) throws(GraftError) {
        self.path = path
        guard FileKind.of(path) == .folder else {
            throw GraftError(.notFound, "\(path): expected a model folder, found \(FileKind.of(path).rawValue)")
        }
        let configPath = path + "/config.json"
        guard FileKind.of(configPath) != .nothing else {
            throw GraftError(.notFound, "\(path): no config.json: this is not a model folder")
        }
        config = try JSON(contentsOf: configPath)
        guard case .object = config else {
            throw GraftError(.corruptFile, "\(configPath): expected an object, found \(config.kind)")
        }
        let singlePath = path + "/model.safetensors"
        let indexPath = path + "/model.safetensors.index.json"
        if FileKind.of(singlePath) != .nothing {
            files = [try SafetensorsFile(path: singlePath)]
        } else if FileKind.of(indexPath) != .nothing {
            files = try ShardIndex(path: indexPath).openShards(in: path)
        } else {
            throw Self.noWeights(path)
        }
        tensorNames = files.flatMap { $0.header.entries.map(\.name) }
        var fileOfTensor: [ExactString: Int] = [:]
        for (number, file) in files.enumerated() {
            for entry in file.header.entries { fileOfTensor[ExactString(entry.name)] = number }
        }
        self.fileOfTensor = fileOfTensor
    }

    package func tensor(_ name: String) -> StoredTensor? {
        fileOfTensor[ExactString(name)].flatMap { files[$0][name] }
    }

    /// The tensor of that name and shape, or an error that says what there is instead.
    package func requireTensor(_ name: String, shape: [Int]) throws(GraftError) -> StoredTensor {
        guard let tensor = tensor(name) else {
            throw GraftError(.notFound, "\(path): the tensor \(JSON.string(name).shortText) \(shape) is missing")
        }
        guard tensor.shape == shape else {
            throw GraftError(
                .incompatible,
                "\(tensor.file.path): tensor \(JSON.string(name).shortText): expected shape \(shape), found \(tensor.shape)"
            )
        }
        return tensor
    }

    private static func noWeights(_ path: String) -> GraftError {
        for pickle in ["pytorch_model.bin", "pytorch_model.bin.index.json"]
        where FileKind.of(path + "/" + pickle) != .nothing {
            return GraftError(
                .unsupported,
                "\(path): \(pickle) is a Python pickle, which can run code when it is read. Convert the model: in "
                    + "Python, load it with transformers and call save_pretrained, which writes model.safetensors")
        }
        return GraftError(
            .notFound, "\(path): no weights: expected model.safetensors or model.safetensors.index.json")
    }
}

/// `model.safetensors.index.json`: which file of a sharded model has which tensor.
private struct ShardIndex {
    let path: String
    let fileOfTensor: JSONObject

    init(path: String) throws(GraftError) {
        self.path = path
        fileOfTensor = try JSON(contentsOf: path).object("weight_map")
    }

    /// Opens every file that the index names, in the order of their names; what they hold is what the index says.
    func openShards(in folder: String) throws(GraftError) -> [SafetensorsFile] {
        var tensorsOfFile: [ExactString: [String]] = [:]
        for (tensor, value) in fileOfTensor {
            guard let name = value.stringValue else {
                throw fileOfTensor.unexpected(tensor, expected: "the name of a file")
            }
            guard FileKind.isPlainName(name) else {
                throw fileOfTensor.unexpected(tensor, expected: "the name of a file in the model's folder")
            }
            tensorsOfFile[ExactString(name), default: []].append(tensor)
        }
        var files: [SafetensorsFile] = []
        for name in tensorsOfFile.keys.sorted() {
            let shardPath = folder + "/" + name.text
            guard FileKind.of(shardPath) != .nothing else {
                throw GraftError(
                    .notFound, "\(path): names the file \(JSON.string(name.text).shortText), which is missing")
            }
            files.append(try SafetensorsFile(path: shardPath))
        }
        try check(files, folder: folder)
        return files
    }

    private func check(_ files: [SafetensorsFile], folder: String) throws(GraftError) {
        var found: [ExactString: String] = [:]
        for file in files {
            for entry in file.header.entries {
                if let other = found.updateValue(file.path, forKey: ExactString(entry.name)) {
                    let name = JSON.string(entry.name).shortText
                    throw GraftError(.corruptFile, "the tensor \(name) is in \(other) and in \(file.path)")
                }
            }
        }
        for (tensor, value) in fileOfTensor {
            let expected = folder + "/" + (value.stringValue ?? "")
            let name = JSON.string(tensor).shortText
            guard let actual = found.removeValue(forKey: ExactString(tensor)) else {
                throw GraftError(.corruptFile, "\(path): the tensor \(name) is not in \(expected)")
            }
            guard ExactString(actual) == ExactString(expected) else {
                throw GraftError(.corruptFile, "\(path): the tensor \(name) is in \(actual), not in \(expected)")
            }
        }
        if let (name, file) = found.min(by: { $0.key < $1.key }) {
            throw GraftError(
                .corruptFile, "\(path): does not name the tensor \(JSON.string(name.text).shortText) of \(file)")
        }
    }
}
