import GraftTensor

/// A model on disk as Hugging Face lays it out: `config.json` beside `model.safetensors`, or beside
/// `model.safetensors.index.json` and the shards that it names.
package final class ModelFolder: TensorSource {
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
        let configPath = path + "/config.json"
        guard FileKind.of(configPath) != .nothing else {
            throw FolderSurvey.error(path, missing: "no config.json", wanted: .model)
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
            throw FolderSurvey.error(
                path, missing: "no weights: neither model.safetensors nor model.safetensors.index.json",
                wanted: .model)
        }
        tensorNames = files.flatMap { $0.header.entries.map(\.name) }
        var fileOfTensor: [ExactString: Int] = [:]
        for (number, file) in files.enumerated() {
            for entry in file.header.entries { fileOfTensor[ExactString(entry.name)] = number }
        }
        self.fileOfTensor = fileOfTensor
    }

    package func entry(_ name: String) -> TensorEntry? {
        guard let number = fileOfTensor[ExactString(name)], let entry = files[number].header[name] else { return nil }
        return TensorEntry(
            name: name, elementType: entry.elementType, shape: entry.shape,
            file: FileSystem.split(files[number].path).name)
    }

    package func read(_ entry: TensorEntry) throws(GraftError) -> StoredTensor {
        guard let number = fileOfTensor[ExactString(entry.name)], let tensor = files[number][entry.name] else {
            throw GraftError(.notFound, "\(path): the tensor \(JSON.string(entry.name).shortText) is missing")
        }
        return tensor
    }
}

/// `model.safetensors.index.json`: which files a sharded model has. Which tensors are in which the
/// files themselves say, as in transformers: an index may name some that are nowhere, and pass over
/// others.
private struct ShardIndex {
    let path: String
    let fileOfTensor: JSONObject

    init(path: String) throws(GraftError) {
        self.path = path
        fileOfTensor = try JSON(contentsOf: path).object("weight_map")
    }

    /// Opens every file that the index names, in the order of their names.
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
        try check(files)
        return files
    }

    /// No tensor is in two files.
    private func check(_ files: [SafetensorsFile]) throws(GraftError) {
        var found: [ExactString: String] = [:]
        for file in files {
            for entry in file.header.entries {
                if let other = found.updateValue(file.path, forKey: ExactString(entry.name)) {
                    let name = JSON.string(entry.name).shortText
                    throw GraftError(.corruptFile, "the tensor \(name) is in \(other) and in \(file.path)")
                }
            }
        }
    }
}
