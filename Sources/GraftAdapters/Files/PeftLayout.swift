import GraftFormats
import GraftLayers
import GraftTensor

/// PEFT's layout: adapter_config.json, which has `peft_type`, and adapter_model.safetensors.
///
/// Names of labels, the task where PEFT's name for it is that of several, and the length of rows
/// travel in the weights file's metadata, which PEFT does not read. A head that pools in another
/// way than the architecture's class has `pooling` in the configuration and tensors of its own
/// names: PEFT warns of the one and fails without the other. A head with a chain has `crf` in the
/// configuration, of which PEFT warns; it reads the logits alone.
struct PeftLayout: AdapterLayout {
    static let fileNames = [AdapterFiles.configName, weightsName]
    static let weightsName = "adapter_model.safetensors"
    /// What PEFT wrote before it had safetensors, or writes with `safe_serialization=False`.
    private static let pickleName = "adapter_model.bin"
    private static let labelsKey = "id2label"
    private static let taskKey = "task"
    private static let poolingKey = "pooling"
    /// Names that PEFT adds for every classification, whichever of them the model has, and for
    /// answers.
    private static func headNames(_ kind: HeadClass?) -> [String] {
        kind == .answers ? ["qa_outputs"] : ["classifier", "score"]
    }
    static let allHeadNames = headNames(.rows) + headNames(.answers)

    let method: any AdapterMethod.Type
    /// adapter_config.json but for the head's pooling and chain.
    private(set) var settings: JSONObject
    private(set) var names: ModuleNames
    private(set) var task: Task?
    private(set) var head: HeadSettings?
    /// Full tables of the vocabulary that the file has beside what its settings say, by their
    /// sites.
    private var tables: [Int: Table] = [:]

    static func holds(_ config: JSONObject) -> Bool { config["peft_type"] != nil }

    init(
        method: any AdapterMethod.Type, given: JSONObject, model: Model, place: String
    ) throws(GraftError) {
        if let type = given["peft_type"]?.stringValue, type != method.typeName {
            throw GraftError(
                .invalidArgument, "\(place): peft_type \"\(type)\" is not that of method \"\(method.name)\"")
        }
        var given = Self.current(given, model.conventions.formerNames)
        given["base_model_name_or_path"] = given["base_model_name_or_path"] ?? .string(model.source.path)
        self.method = method
        settings = try method.settings(completing: given, for: model, place: place)
        let named = Self.tasks(settings["task_type"]?.stringValue)
        // Without its head it is for no task yet; but PEFT names its modules after that task's
        // class.
        task = named.first { !$0.hasOwnHead }
        try model.requireOutputs(of: task)
        names = Self.names(model, method, of: named.first, hasBackbonePrefix: !named.isEmpty)
    }

    init(_ folder: inout AdapterFolder, model: Model) throws(GraftError) {
        let pooling = try folder.config.pooling(Self.poolingKey, .unsupported, place: folder.configPath)
        let hasChain = try folder.config.optionalBool(LabelChain.key) ?? false
        settings = folder.config.without(Self.poolingKey).without(LabelChain.key)
        method = try AdapterMethods.of(
            Self.self, typeName: try settings.string("peft_type"), key: "peft_type", place: folder.configPath)
        settings = Self.current(method.settings(ofFile: settings), model.conventions.formerNames)
        let file = try folder.readWeights(
            Self.weightsName, insteadOf: Self.pickleName, remedy: "load it with PEFT and save it as safetensors")
        try Self.takeAdapterNames(out: &folder)
        try Self.takeFormerNames(model.conventions.formerNames, out: &folder)
        let named = Self.tasks(try settings.optionalString("task_type"))
        task = named.first { !$0.hasOwnHead } ?? Self.unnamedTask(of: file, named)
        try model.requireOutputs(of: task)
        let start = method.moduleStart
        let hasPrefix =
            task?.hasBackbonePrefix ?? false
            || folder.tensors.contains { tensor in
                tensor.name.hasPrefix(start + model.conventions.start(of: named.first?.headClass))
            }
        names = Self.names(
            model, method, of: Self.named(in: file, named) ?? named.first, hasBackbonePrefix: hasPrefix,
            hasMaskedHead: task?.head == .maskedVocabulary || Self.adaptsMaskedHead(folder, model, start: start))
        try requireKin(folder)
        if let (task, head) = try head(of: file, folder, pooling, hasChain: hasChain) {
            (self.task, self.head) = (task, head)
        }
        (names, tables) = try Self.vocabulary(folder, settings, names)
        guard pooling == nil && !hasChain || head != nil else {
            throw GraftError(
                .corruptFile,
                "\(folder.configPath): \(hasChain ? LabelChain.key : Self.poolingKey) is that of a head, which the adapter does not have"
            )
        }
    }

    /// Of an adapter with the task, the head and the vocabulary of another one.
    init(method: any AdapterMethod.Type, given: JSONObject, likeThat other: PeftLayout) throws(GraftError) {
        try self.init(method: method, given: given, model: other.names.model, place: "the settings")
        (names, task, head, tables) = (other.names, other.task, other.head, other.tables)
    }

    /// Those that PEFT calls so and has classes for; a bare encoder is for any.
    private static func tasks(_ peftName: String?) -> [Task] {
        guard let peftName else { return [] }
        return Tasks.all.filter { $0.peftName == peftName && $0.hasBackbonePrefix }
    }

    /// A task that PEFT has no name or no class for, by the file's metadata.
    private static func unnamedTask(of file: SafetensorsFile, _ named: [Task]) -> Task? {
        guard named.isEmpty, let name = file.metadata[taskKey] else { return nil }
        return Tasks.all.first { $0.name == name && !$0.hasOwnHead && ($0.peftName == nil || !$0.hasBackbonePrefix) }
    }

    /// Whether a file that names no task is of the masked language class, whose head it adapts.
    private static func adaptsMaskedHead(_ folder: AdapterFolder, _ model: Model, start: String) -> Bool {
        folder.tensors.contains {
            $0.name.hasPrefix(start) && model.conventions.isMaskedHead(String($0.name.dropFirst(start.count)))
        }
    }

    /// Without a task the adapter is the bare encoder's, as PEFT saves it from there.
    private static func names(
        _ model: Model, _ method: any AdapterMethod.Type, of task: Task?, hasBackbonePrefix: Bool,
        hasMaskedHead: Bool = false, sites: [Site]? = nil
    ) -> ModuleNames {
        ModuleNames(
            model: model, hasBackbonePrefix: hasBackbonePrefix, of: task?.headClass, start: method.moduleStart,
            hasPooler: !hasBackbonePrefix
                || (task?.unit != .tokens && model.conventions.headReadsPooler(task?.headClass ?? .rows)),
            hasMaskedHead: hasMaskedHead, sites: sites)
    }

    var config: JSONObject {
        var config = settings
        if let pooling = head?.pooling { config[Self.poolingKey] = .string(pooling.name) }
        if head?.hasChain ?? false { config[LabelChain.key] = true }
        return config
    }

    var labels: [String]? { head?.labels }

    /// `PeftModelForQuestionAnswering` takes `token_type_ids` and passes none on (peft 0.21.2).
    var readsTypes: Bool { task != .questionAnswering }

    mutating func set(_ task: Task?, head: HeadSettings?) throws(GraftError) {
        if let task { try names.model.requireProblem(of: task) }
        if task?.unit == .tokens, let head, head.trainsDense || head.pooling != nil {
            throw GraftError(
                .unsupported,
                "the task \(task?.name ?? "") with \(head.trainsDense ? "dense_layer" : "pooling"): the head that PEFT knows "
                    + "is one layer on each token; expected neither")
        }
        settings["task_type"] = (task?.peftName ?? method.withoutTask).map(JSON.string) ?? .null
        var saved = try settings.optionalStrings("modules_to_save") ?? []
        if let head, head.pooling == nil {
            let conventions = names.model.conventions
            let readsPooler = conventions.headReadsPooler(task?.headClass ?? .rows)
            let pooler = head.trainsDense && readsPooler ? [conventions.poolerModule] : []
            let answers = task?.headClass == .answers ? [conventions.answerHeadPath] : []
            let own = Self.headNames(task?.headClass) + answers + pooler + conventions.unnamedHead(task?.headClass)
            let others = Self.allHeadNames + conventions.unnamedHead(.rows)
            saved.removeAll { others.contains($0) && !own.contains($0) }
            for name in own where !saved.contains(name) { saved.append(name) }
        } else {
            let heads = Self.allHeadNames + names.model.conventions.unnamedHead(.rows)
            saved.removeAll { heads.contains($0) }
        }
        settings["modules_to_save"] = saved.isEmpty ? .null : .array(saved.map(JSON.string))
        self.head = head
        self.task = task
        names = Self.names(
            names.model, method, of: task, hasBackbonePrefix: task?.hasBackbonePrefix ?? false,
            hasMaskedHead: task?.head == .maskedVocabulary, sites: names.sites)
    }

    func planModules(_ plan: inout AdapterPlan, place: String) throws(GraftError) {
        try plan.addSavedModules(settings, head: head, of: task, names: names, place: place)
    }

    func planFrozen(_ plan: inout AdapterPlan) throws(GraftError) {
        try planTables(tables, &plan)
    }

    func files(
        _ tensors: [SafetensorsWriter.Tensor], noted: JSONObject, metadata own: SafetensorsWriter.Metadata
    ) throws(GraftError) -> AdapterFiles {
        var metadata: SafetensorsWriter.Metadata = [("format", "pt")] + own
        if let head, head.ownsLabels {
            var names = JSONObject()
            for (index, label) in head.labels.enumerated() { names[String(index)] = .string(label) }
            metadata.append((Self.labelsKey, JSON.object(names).serialized(JSON.Style(isCompact: true))))
        }
        if let task, task != ofPeft(task) { metadata.append((Self.taskKey, task.name)) }
        var saved = method.saved(config)
        saved["inference_mode"] = .bool(true)
        for (key, value) in noted { saved[key] = value }
        var files = AdapterFiles()
        files.add(AdapterFiles.configuration(saved), as: AdapterFiles.configName)
        files.add(try SafetensorsWriter(tensors: tensors, metadata: metadata), as: Self.weightsName)
        return files
    }

    /// What a reader takes an adapter for such a task for who knows no more than PEFT writes.
    private func ofPeft(_ task: Task) -> Task? {
        guard let head else { return Self.tasks(task.peftName).first }
        return Self.likeliest(settings, names.model, labelCount: head.labels.count)
    }

    /// Of an adapter with a head, by what PEFT reads. Adapters of the bare encoder have the heads
    /// of rows.
    private static func likeliest(_ settings: JSONObject, _ model: Model, labelCount: Int) -> Task? {
        var named = tasks(settings["task_type"]?.stringValue)
        if named.isEmpty { named = tasks(Task.sequenceClassification.peftName) }
        return Tasks.likeliest(of: named, model.problem, labelCount: labelCount)
    }

    /// The head that the file carries, with its labels: those it was saved with, the base's, or
    /// numbered ones.
    private func head(
        of file: SafetensorsFile, _ folder: AdapterFolder, _ pooling: Pooling?, hasChain: Bool
    ) throws(GraftError) -> (Task, HeadSettings)? {
        let model = names.model
        let type = try settings.optionalString("task_type")
        let named = Self.tasks(type)
        guard type == nil || Tasks.all.contains(where: { $0.peftName == type }) else {
            throw GraftError(
                .unsupported,
                "\(folder.configPath): task_type \"\(type ?? "")\"; expected "
                    + Set(Tasks.all.compactMap(\.peftName)).sorted().joined(separator: ", ") + " or null")
        }
        if !named.isEmpty, !named.contains(where: \.hasOwnHead) { return nil }
        let kind = (Self.named(in: file, named) ?? named.first)?.headClass ?? .rows
        let path = pooling == nil ? model.conventions.headPath(kind) : PooledHead.path
        let name = names.tensor(path, "weight")
        guard let weight = folder.tensor(name) else {
            // The checkpoint's own, which PEFT knows by no name.
            if model.baseHead?.kind == kind, !model.conventions.unnamedHead(kind).isEmpty { return nil }
            if let type, !named.isEmpty {
                throw GraftError(
                    .corruptFile, "\(file.path): tensor \"\(name)\" is missing, which task_type \(type) needs")
            }
            return nil
        }
        guard weight.shape.count == 2, weight.shape[0] > 0 else {
            throw GraftError(.incompatible, "\(file.path): tensor \"\(name)\" has shape \(weight.shape)")
        }
        let count = weight.shape[0]
        guard let task = try Self.ownTask(of: file, named) ?? Self.likeliest(settings, model, labelCount: count),
            count >= task.leastLabelCount, count == task.outputNames?.count ?? count
        else {
            throw GraftError(
                .incompatible,
                "\(file.path): tensor \"\(name)\" has \(count) \(count == 1 ? "row" : "rows"); a head that chooses one of "
                    + "several labels has two or more, and one of answers has two")
        }
        try model.requireProblem(of: task)
        guard pooling == nil || task.unit == .rows else {
            throw GraftError(
                .corruptFile,
                "\(folder.configPath): \(Self.poolingKey) is that of a head of rows; the task is \(task.name)")
        }
        guard !hasChain || task.allowsChain else {
            throw GraftError(
                .corruptFile,
                "\(folder.configPath): \(LabelChain.key) is that of a head of \(Task.tokenClassification); the task is "
                    + task.name)
        }
        let labels = try Self.ownLabels(of: file, count: count)
        let base = model.baseHead.flatMap { $0.labels.count == count ? $0.labels : nil }
        let head = HeadSettings(
            labels: task.outputNames ?? labels ?? base ?? numberedLabels(count), ownsLabels: labels != nil,
            dropout: nil,
            trainsDense: pooling != nil && file[names.tensor(PooledHead.densePath, "weight")] != nil, pooling: pooling,
            hasChain: hasChain)
        return (task, head)
    }

    /// That one of some tasks which the file's metadata says.
    private static func named(in file: SafetensorsFile, _ tasks: [Task]) -> Task? {
        tasks.first { $0.name == file.metadata[taskKey] }
    }

    /// The task in the file's metadata; nil where it has none.
    private static func ownTask(of file: SafetensorsFile, _ named: [Task]) throws(GraftError) -> Task? {
        guard let name = file.metadata[taskKey] else { return nil }
        let known = named.isEmpty ? tasks(Task.sequenceClassification.peftName) : named
        guard let task = known.first(where: { $0.name == name }) else {
            throw GraftError(
                .corruptFile,
                "\(file.path): metadata \"\(taskKey)\": expected \(known.map(\.name).joined(separator: ", ")), found "
                    + JSON.string(name).briefText)
        }
        return task
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

extension Conventions {
    /// The module of a head that PEFT saves only where it is told to, since it knows no such name.
    fileprivate func unnamedHead(_ head: HeadClass?) -> [String] {
        guard head == .rows, !PeftLayout.allHeadNames.contains(where: { AdapterPlan.covers($0, headPath) }) else {
            return []
        }
        return [String(headPath.prefix { $0 != "." })]
    }
}
