import GraftFormats
import GraftLayers
import GraftTensor

/// PEFT's layout: adapter_config.json, which has `peft_type`, and adapter_model.safetensors.
///
/// Names of labels travel in the weights file's metadata, which PEFT does not read.
struct PeftLayout: AdapterLayout {
    static let fileNames = [AdapterFiles.configName, weightsName]
    private static let weightsName = "adapter_model.safetensors"
    /// What PEFT wrote before it had safetensors, or writes with `safe_serialization=False`.
    private static let pickleName = "adapter_model.bin"
    private static let labelsKey = "id2label"
    /// Before the name of every module.
    static let start = "base_model.model."
    /// Names that PEFT adds for every sequence classification, whichever of them the model has.
    static let headNames = ["classifier", "score"]

    let method: any AdapterMethod.Type
    private(set) var config: JSONObject
    private(set) var names: ModuleNames
    private(set) var head: HeadSettings?
    /// Full tables of the vocabulary that the file has beside what its settings say, by their sites.
    private var tables: [Int: Table] = [:]

    static func holds(_ config: JSONObject) -> Bool { config["peft_type"] != nil }

    init(
        method: any AdapterMethod.Type, given: JSONObject, model: any Transformer, place: String
    ) throws(GraftError) {
        if let type = given["peft_type"]?.stringValue, type != method.typeName {
            throw GraftError(
                .invalidArgument, "\(place): peft_type \"\(type)\" is not that of method \"\(method.name)\"")
        }
        var given = given
        given["base_model_name_or_path"] = given["base_model_name_or_path"] ?? .string(model.source.path)
        self.method = method
        config = try method.settings(completing: given, place: place)
        let task = Task(peftName: config["task_type"]?.stringValue)
        if task == .languageModel { _ = try LanguageModelHead(model: model) }
        names = Self.names(model, for: task)
    }

    init(_ folder: inout AdapterFolder, model: any Transformer) throws(GraftError) {
        config = folder.config
        method = try AdapterMethods.of(
            Self.self, typeName: try config.string("peft_type"), key: "peft_type", place: folder.configPath)
        let file = try folder.readWeights(
            Self.weightsName, insteadOf: Self.pickleName, remedy: "load it with PEFT and save it as safetensors")
        try Self.takeAdapterNames(out: &folder)
        let isLanguageModel = Task(peftName: try config.optionalString("task_type")) == .languageModel
        if isLanguageModel { _ = try LanguageModelHead(model: model) }
        let hasPrefix =
            isLanguageModel || folder.tensors.contains { $0.name.hasPrefix(Self.start + model.backbone + ".") }
        names = Self.names(model, hasBackbonePrefix: hasPrefix)
        try Self.requireKin(folder, names)
        head = try Self.head(of: file, folder, config, model)
        (names, tables) = try Self.vocabulary(folder, config, names)
    }

    /// Without a task the adapter is the bare encoder's, as PEFT saves it from there.
    private static func names(_ model: any Transformer, for task: Task) -> ModuleNames {
        names(model, hasBackbonePrefix: task != .none)
    }

    static func names(
        _ model: any Transformer, hasBackbonePrefix: Bool, sites: [Site]? = nil
    ) -> ModuleNames {
        ModuleNames(model: model, hasBackbonePrefix: hasBackbonePrefix, start: start, sites: sites)
    }

    var settings: JSONObject { config }

    var task: Task {
        if head != nil { return .sequenceClassification }
        return Task(peftName: config["task_type"]?.stringValue) == .languageModel ? .languageModel : .none
    }

    var labels: [String]? { head?.labels }

    mutating func set(_ task: Task, head: HeadSettings?) throws(GraftError) {
        if head != nil { try SingleLabel.require(names.model.problem, of: names.model) }
        config["task_type"] = task.peftName.map(JSON.string) ?? .null
        var saved = try config.optionalStrings("modules_to_save") ?? []
        if let head {
            for name in Self.headNames + (head.trainsDense ? ["pooler"] : []) where !saved.contains(name) {
                saved.append(name)
            }
        } else {
            saved.removeAll { Self.headNames.contains($0) }
        }
        config["modules_to_save"] = saved.isEmpty ? .null : .array(saved.map(JSON.string))
        self.head = head
        names = Self.names(names.model, hasBackbonePrefix: task != .none, sites: names.sites)
    }

    func planModules(_ plan: inout AdapterPlan, place: String) throws(GraftError) {
        try plan.addSavedModules(config, head: head, names: names, place: place)
    }

    func planFrozen(_ plan: inout AdapterPlan) throws(GraftError) {
        try planTables(tables, &plan)
    }

    func files(_ tensors: [SafetensorsWriter.Tensor]) throws(GraftError) -> AdapterFiles {
        var metadata: SafetensorsWriter.Metadata = [("format", "pt")]
        if let head, head.ownsLabels {
            var names = JSONObject()
            for (index, label) in head.labels.enumerated() { names[String(index)] = .string(label) }
            metadata.append((Self.labelsKey, JSON.object(names).serialized(JSON.Style(isCompact: true))))
        }
        var saved = config
        saved["inference_mode"] = .bool(true)
        var files = AdapterFiles()
        files.add(AdapterFiles.configuration(saved), as: AdapterFiles.configName)
        files.add(try SafetensorsWriter.serialize(tensors: tensors, metadata: metadata), as: Self.weightsName)
        return files
    }

    /// The head that the file carries, with its labels: those it was saved with, the base's, or numbered ones.
    private static func head(
        of file: SafetensorsFile, _ folder: AdapterFolder, _ config: JSONObject, _ model: any Transformer
    ) throws(GraftError) -> HeadSettings? {
        let task = try config.optionalString("task_type")
        switch task {
        case nil, "FEATURE_EXTRACTION", "SEQ_CLS": break
        case "CAUSAL_LM": return nil
        case .some(let other):
            throw GraftError(
                .unsupported,
                "\(folder.configPath): task_type \"\(other)\"; expected SEQ_CLS, CAUSAL_LM, FEATURE_EXTRACTION or null")
        }
        let name = "\(start)\(model.headPath).weight"
        guard let weight = folder.tensor(name) else {
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
        try SingleLabel.require(
            model.problem, of: model, labelCount: count, place: "\(file.path): tensor \"\(name)\"")
        let own = try ownLabels(of: file, count: count)
        let base = model.baseHead.flatMap { $0.labels.count == count ? $0.labels : nil }
        return HeadSettings(
            labels: own ?? base ?? numberedLabels(count), ownsLabels: own != nil, dropout: nil, trainsDense: false)
    }

    /// The labels in the file's metadata, one for each class; nil where it has none.
    private static func ownLabels(of file: SafetensorsFile, count: Int) throws(GraftError) -> [String]? {
        guard let text = file.metadata[labelsKey] else { return nil }
        let place = "\(file.path): metadata \"\(labelsKey)\""
        let names = try JSON(parsing: text, source: place).objectValue
        let labels = (0..<count).compactMap { names?[String($0)]?.stringValue }
        guard labels.count == count, names?.count == count else {
            throw GraftError(
                .corruptFile,
                "\(place): expected the names of classes \"0\" to \"\(count - 1)\", found "
                    + JSON.string(text).briefText)
        }
        return labels
    }
}
