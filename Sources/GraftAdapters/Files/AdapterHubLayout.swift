import GraftFormats
import GraftLayers
import GraftTensor

/// AdapterHub's layout, as its package `adapters` writes it with `use_safetensors=True`:
/// adapter_config.json, which has `config`, and adapter.safetensors; with a head also
/// head_config.json and model_head.safetensors.
///
/// The adapter has a name, which is part of every tensor's.
struct AdapterHubLayout: AdapterLayout {
    static let fileNames = [AdapterFiles.configName, weightsName, headConfigName, headWeightsName]
    private static let weightsName = "adapter.safetensors"
    private static let headConfigName = "head_config.json"
    private static let headWeightsName = "model_head.safetensors"
    /// What `adapters` writes unless it is asked for safetensors.
    private static let pickles = [weightsName: "pytorch_adapter.bin", headWeightsName: "pytorch_model_head.bin"]
    /// The release whose layout this is.
    private static let version = "adapters.1.3.0"
    /// A model's task is not AdapterHub's to keep, but for its head: the language model's is kept
    /// under PEFT's name.
    private static let taskKey = "task_type"
    /// What adapter_config.json has beside the method's settings.
    private static let frameKeys: Set<String> = [
        "config", "hidden_size", "model_class", "model_name", "model_type", "name", taskKey, "version",
    ]

    let method: any AdapterMethod.Type
    let names: ModuleNames
    private(set) var config: JSONObject
    private(set) var task: Task?
    private(set) var head: AdapterHubHead?

    static func holds(_ config: JSONObject) -> Bool { config["config"] != nil }

    /// `given` has the settings themselves, or as the file has them, under `config`; there may be a
    /// `name`.
    init(
        method: any AdapterMethod.Type, given: JSONObject, model: Model, place: String
    ) throws(GraftError) {
        var settings = given["config"]?.objectValue ?? JSONObject()
        if let name = given["config"]?.stringValue { settings["config"] = .string(name) }
        for (key, value) in given where !Self.frameKeys.contains(key) { settings[key] = value }
        let name = try given.optionalString("name") ?? "default"
        guard !name.isEmpty, !name.contains(".") else {
            throw GraftError(.invalidArgument, "\(place): name \"\(name)\" is empty or has a point")
        }
        self.method = method
        names = Self.names(model, adapter: name, hasBackbonePrefix: true)
        config = Self.frame(model, name: name)
        config["config"] = .object(try method.settings(completing: settings, for: model, place: place))
        if let type = given[Self.taskKey], !type.isOff {
            guard let task = Self.tasksWithoutHead.first(where: { $0.fileName == type.stringValue }) else {
                throw GraftError(
                    .invalidArgument,
                    "\(place): \(Self.taskKey) is \(type.kind); expected "
                        + Self.tasksWithoutHead.map(\.fileName).joined(separator: ", ") + " or null")
            }
            try set(task, head: nil)
        }
    }

    init(_ folder: inout AdapterFolder, model: Model) throws(GraftError) {
        let place = folder.configPath
        config = folder.config
        guard config["version"] != nil else {
            throw GraftError(
                .unsupported,
                "\(place): it has no \"version\", so adapter-transformers wrote it: load and save it once with adapters"
            )
        }
        try Self.refuseUnknown(config, place: place)
        let settings = try config.object("config")
        method = try AdapterMethods.of(
            Self.self, typeName: try settings.optionalString("architecture"), key: "architecture", place: place)
        let type = try config.optionalString("model_type")
        let width = try config.optionalInt("hidden_size")
        guard type ?? model.architecture == model.architecture,
            width ?? model.shape.hiddenSize == model.shape.hiddenSize
        else {
            throw GraftError(
                .incompatible,
                "\(place): an adapter of a \(type ?? "?") model of hidden size \(width.map(String.init) ?? "?"); the model "
                    + "at \(model.source.path) is \(model.architecture) of \(model.shape.hiddenSize)")
        }
        let file = try Self.readWeights(Self.weightsName, &folder)
        names = Self.names(
            model, adapter: try config.string("name"),
            hasBackbonePrefix: file.tensors.contains { $0.name.hasPrefix(model.conventions.start()) })
        task = Self.tasksWithoutHead.first { $0.fileName == config[Self.taskKey]?.stringValue }
        try model.requireOutputs(of: task)
        if folder.has(Self.headConfigName) {
            let headConfig = try folder.readObject(Self.headConfigName)
            try Self.refuseUnknown(
                headConfig, also: ["label2id"], place: folder.path + "/" + Self.headConfigName)
            let head = try AdapterHubHead(headConfig, model: model, place: folder.path + "/" + Self.headConfigName)
            (self.head, task) = (head, head.task)
            _ = try Self.readWeights(Self.headWeightsName, &folder)
        }
    }

    /// `also` are keys that only one of the two configurations has.
    private static func refuseUnknown(
        _ config: JSONObject, also: Set<String> = [], place: String
    ) throws(GraftError) {
        guard let key = config.keys.first(where: { !frameKeys.contains($0) && !also.contains($0) }) else { return }
        throw GraftError(
            .unsupported,
            "\(place): unknown key \"\(key)\"; expected one of "
                + frameKeys.union(also).sorted().joined(separator: ", "))
    }

    private static func readWeights(
        _ name: String, _ folder: inout AdapterFolder
    ) throws(GraftError) -> SafetensorsFile {
        try folder.readWeights(
            name, insteadOf: pickles[name], remedy: "load it with adapters and save it with use_safetensors=True")
    }

    private static func names(_ model: Model, adapter: String, hasBackbonePrefix: Bool) -> ModuleNames {
        ModuleNames(
            model: model, hasBackbonePrefix: hasBackbonePrefix, middle: ".adapters.\(adapter).",
            holders: model.conventions.adapterHolders)
    }

    /// What adapter_config.json and head_config.json have around their settings.
    private static func frame(_ model: Model, name: String) -> JSONObject {
        var frame = JSONObject()
        frame["hidden_size"] = .integer(model.shape.hiddenSize)
        frame["model_class"] = .string(model.conventions.className + "AdapterModel")
        frame["model_name"] = .string(model.source.path)
        frame["model_type"] = .string(model.architecture)
        frame["name"] = .string(name)
        frame["version"] = .string(version)
        return frame
    }

    var settings: JSONObject { config["config"]?.objectValue ?? JSONObject() }

    private static var tasksWithoutHead: [Task] { Tasks.all.filter { !$0.hasOwnHead } }

    var labels: [String]? { head?.labels }

    mutating func set(_ task: Task?, head: HeadSettings?) throws(GraftError) {
        try names.model.requireOutputs(of: task)
        var changed = config.without(Self.taskKey)
        var own: AdapterHubHead?
        if let task, let head {
            own = try AdapterHubHead(head, of: task, in: Self.frame(names.model, name: try config.string("name")))
        } else if let task {
            changed[Self.taskKey] = .string(task.fileName)
        }
        (config, self.head, self.task) = (changed, own, task)
    }

    func planModules(_ plan: inout AdapterPlan, place: String) throws(GraftError) {
        if let head { plan.head = try head.plan(&plan, names.model) }
    }

    func files(
        _ tensors: [SafetensorsWriter.Tensor], noted: JSONObject, metadata: SafetensorsWriter.Metadata
    ) throws(GraftError) -> AdapterFiles {
        var files = AdapterFiles()
        files.add(AdapterFiles.configuration(config), as: AdapterFiles.configName)
        let isHead = { (name: String) in name.hasPrefix(AdapterHubHead.start) }
        files.add(
            try SafetensorsWriter(
                tensors: tensors.filter { !isHead($0.name) }, metadata: metadata.isEmpty ? nil : metadata),
            as: Self.weightsName)
        if let head {
            files.add(AdapterFiles.configuration(head.config), as: Self.headConfigName)
            files.add(
                try SafetensorsWriter(tensors: tensors.filter { isHead($0.name) }), as: Self.headWeightsName)
        }
        return files
    }

    func repeats(
        _ name: String, _ stored: StoredTensor, in folder: AdapterFolder, _ plan: AdapterPlan
    ) -> Bool { false }
}
