import GraftFormats
import GraftLayers
import GraftTensor

/// An adapter's content: layout, plan and numbers. Its shape never changes; training changes the
/// numbers in place.
package final class AdapterContent: @unchecked Sendable {
    package let model: Model
    let layout: any AdapterLayout
    package let plan: AdapterPlan
    package let values: UnsafeMutablePointer<Float>
    private let memory: Memory
    /// How often the values have changed.
    private let changes = AdapterVersion()
    /// The files it was read from; set before anybody else has the content.
    var original: AdapterFiles?
    /// The most tokens of a row that it was trained on; nil where that is not known.
    package var maximumLength: Int? {
        get { length.withLock { $0 } }
        set { length.withLock { $0 = newValue } }
    }
    private let length = Guarded<Int?>(nil)

    /// Plans the adapter and fills it with first values.
    init(
        model: Model, layout: any AdapterLayout, seed: UInt64, use: SettingsUse, place: String
    ) throws(GraftError) {
        self.model = model
        self.layout = layout
        let method = try layout.method.init(settings: layout.settings, use: use, place: place)
        guard layout.method.fitsSomeSources || model.decoderTokens == nil else {
            throw GraftError(
                .unsupported,
                "\(place): \(layout.method.name) on a model with an encoder and a decoder, which this build does not do"
            )
        }
        guard
            model.decoderTokens == nil || !(layout.task?.hasOwnHead ?? false)
                || !(layout.method is any PromptLearning.Type)
        else {
            throw GraftError(
                .unsupported,
                "\(place): \(layout.method.name) with a head of rows on a model with an encoder and a decoder, which PEFT "
                    + "does not do")
        }
        var plan = AdapterPlan(model.sites)
        try layout.planModules(&plan, place: place)
        try method.plan(&plan, names: layout.names, use: use)
        try method.planFrozen(&plan, names: layout.names)
        try layout.planFrozen(&plan)
        guard
            layout.task?.head != .maskedVocabulary || !(model.maskedHead?.readsTable ?? false)
                || plan.sites[model.vocabulary.words]?.weight == nil
        else {
            throw GraftError(
                .unsupported,
                "\(place): the adapter has a table of its own in the place of \(model.sites[model.vocabulary.words].path), by "
                    + "which the model's head for masked words multiplies: this build does not train both as one")
        }
        self.plan = plan
        memory = try Memory(byteCount: (plan.parameterCount + plan.derivedCount) * 4)
        values = memory.floats()
        for tensor in plan.tensors {
            try Memory.check()
            try tensor.initialize(values, seed: seed)
        }
        if use == .create { for start in plan.starts { try start(values, seed) } }
    }

    /// Says that the values have changed, so that what follows from them is computed anew.
    func markChanged() { changes.markChanged() }

    package var method: any AdapterMethod.Type { layout.method }
    package var names: ModuleNames { layout.names }
    package var task: Task? { layout.task }

    /// What it is trained for and what logits of its rows mean: its own task, or that of the
    /// checkpoint's head.
    package var actingTask: Task? { task ?? model.ownTask }

    /// What the numbers of the head stand for: of the adapter's, or of the checkpoint's.
    package var labels: [String] { layout.labels ?? model.baseHead?.labels ?? [] }

    /// Labels of what acts; 0 for a language model.
    package var labelCount: Int { task?.hasOwnHead ?? true ? labels.count : 0 }

    /// adapter_config.json as it would be saved.
    package var configText: String { String(decoding: AdapterFiles.configuration(layout.config), as: UTF8.self) }

    /// Binds the adapter for passes. `gradients`, of the plan's layout, are the trainer's.
    package func attached(scale: Float, gradients: UnsafeMutablePointer<Float>? = nil) -> AttachedAdapter {
        AttachedAdapter(
            AdapterNumbers(
                values: values, derived: values + plan.parameterCount, changes: changes, gradients: gradients,
                scale: scale, owner: self),
            sites: plan.sites, head: plan.head, prefix: scale == 0 ? nil : plan.prefix,
            prompt: scale == 0 ? nil : plan.prompt, readsTypes: layout.readsTypes, modelSites: model.sites)
    }

    /// The numbers of the tensor that files call `name`.
    func tensor(_ name: String) -> UnsafeMutablePointer<Float>? {
        plan.tensors.first { $0.name == name }.map { values + $0.parameter.offset }
    }

    /// Bytes of its numbers, and of what its files had beside them.
    package var residentByteCount: Int { memory.residentByteCount + (original?.residentByteCount ?? 0) }

    /// Sum of the tensors' sizes.
    package var parameterCount: Int { plan.tensors.reduce(0) { $0 + $1.parameter.count } }
}

/// An adapter as callers hold it: content that a new head replaces, and who uses its numbers now.
///
/// Any number of calls read the numbers at once, or one call of its trainer changes them. Who comes
/// in between is refused.
package final class Adapter: Sendable {
    private struct State {
        var content: AdapterContent
        /// Numbers differ from the files that the content was read from.
        var isChanged = false
        var hasTrainer = false
        /// Calls that read the numbers now; -1 while one changes them.
        var users = 0
    }

    private let state: Guarded<State>
    private let seed: UInt64

    /// Fresh parameters. `config` is the method's settings as its layout's adapter_config.json has
    /// them, or nil for defaults.
    package init(model: Model, method name: String, config text: String?, seed: UInt64) throws(GraftError) {
        let method = try AdapterMethods.named(name)
        let place = "config_json"
        var given = JSONObject()
        if let text {
            guard let object = try JSON(parsing: text, source: place).objectValue else {
                throw GraftError(.invalidArgument, "\(place): expected an object of settings")
            }
            given = object
        }
        let layout = try method.layout.init(method: method, given: given, model: model, place: place)
        let content = try AdapterContent(model: model, layout: layout, seed: seed, use: .create, place: place)
        self.seed = seed
        state = Guarded(State(content: content))
    }

    init(loaded content: AdapterContent) {
        seed = 0
        state = Guarded(State(content: content))
    }

    package var content: AdapterContent { state.withLock { $0.content } }

    /// Runs `body` while nothing changes the numbers. It is told whether these are as they were
    /// read.
    package func read<Result>(
        _ body: (_ content: AdapterContent, _ isAsLoaded: Bool) throws(GraftError) -> Result
    ) throws(GraftError) -> Result {
        try beginReading()
        defer { endReading() }
        let (content, isChanged) = state.withLock { ($0.content, $0.isChanged) }
        return try body(content, !isChanged && content.original != nil)
    }

    package func beginReading() throws(GraftError) {
        let isFree = state.withLock { state in
            guard state.users >= 0 else { return false }
            state.users += 1
            return true
        }
        guard isFree else {
            throw GraftError(
                .invalidArgument,
                "the adapter is being trained by another call, on another thread or the one whose callback this is: use it "
                    + "between its trainer's calls")
        }
    }

    package func endReading() { state.withLock { $0.users -= 1 } }

    /// Runs `body`, which changes the numbers, while no other call uses them.
    package func change<Result>(_ body: () throws(GraftError) -> Result) throws(GraftError) -> Result {
        let isFree = state.withLock { state in
            guard state.users == 0 else { return false }
            state.users = -1
            return true
        }
        guard isFree else {
            throw GraftError(
                .invalidArgument,
                "the adapter is in use by another call, on another thread or the one whose callback this is: train it when "
                    + "that is done")
        }
        defer { state.withLock { $0.users = 0 } }
        return try body()
    }

    /// Says that the numbers have changed.
    package func markChanged() {
        state.withLock {
            $0.isChanged = true
            $0.content.markChanged()
        }
    }

    /// Takes the adapter for a trainer; it has no other, and no other head, until `endTraining`.
    package func beginTraining() throws(GraftError) {
        let hadTrainer = state.withLock { state in
            defer { state.hasTrainer = true }
            return state.hasTrainer
        }
        guard !hadTrainer else {
            throw GraftError(.invalidArgument, "the adapter already has a trainer: release that first")
        }
    }

    package func endTraining() { state.withLock { $0.hasTrainer = false } }

    /// Makes the adapter one for another task, with a new head where the task has one; nil is no
    /// task. The rest keeps its numbers.
    package func set(_ task: Task?, _ head: HeadSettings? = nil) throws(GraftError) {
        guard (task?.hasOwnHead ?? false) == (head != nil) else {
            throw GraftError(.invalidArgument, "the task \(task?.name ?? "none") and its head do not belong together")
        }
        if let names = task?.outputNames, let head, head.labels.count != names.count {
            throw GraftError(
                .invalidArgument, "\(head.labels.count) labels for \(task?.name ?? ""): expected \(names.count)")
        }
        if let head, head.hasChain, let task, !task.allowsChain {
            throw GraftError(
                .invalidArgument,
                "\(LabelChain.key): the task \(task) has no labels of tokens that follow each other; expected false, or the "
                    + "task \(Task.tokenClassification)")
        }
        let (old, hasTrainer) = state.withLock { ($0.content, $0.hasTrainer) }
        guard !hasTrainer else {
            throw GraftError(.invalidArgument, "the adapter has a trainer: release that before it gets another head")
        }
        try old.model.requireOutputs(of: task)
        var layout = old.layout
        try layout.set(task, head: task?.unit == .rows ? head?.fitted(to: old.model) : head)
        let new = try AdapterContent(model: old.model, layout: layout, seed: seed, use: .change, place: "head")
        try new.requireSameTargets(as: old)
        new.take(from: old)
        new.maximumLength = old.maximumLength
        state.withLock {
            $0.content = new
            $0.isChanged = true
        }
    }
}

extension AdapterContent {
    /// A task puts the backbone's name before those of its modules, so settings that name modules
    /// in full may choose others. A module that the head takes in full is not adapted besides, and
    /// one that the task's class lacks not at all.
    fileprivate func requireSameTargets(as old: AdapterContent) throws(GraftError) {
        for (index, site) in model.sites.enumerated() where site.place == .backbone && names.has(site) {
            let (was, isNow) = (old.plan.sites[index] ?? SiteAdapter(), plan.sites[index] ?? SiteAdapter())
            let (acted, acts) = (was.action != nil, isNow.action != nil)
            guard acted != acts, was.weight == nil, isNow.weight == nil else { continue }
            throw GraftError(
                .invalidArgument,
                "the module \"\(old.names.path(of: site))\" is called \"\(names.path(of: site))\" with this task, and the "
                    + "settings \(acts ? "begin" : "cease") to adapt it: give task_type when the adapter is created, and name "
                    + "modules as they are called then")
        }
    }

    /// Copies the numbers of every tensor that both have, whatever the prefix of their names.
    fileprivate func take(from old: AdapterContent) {
        var known: [String: PlannedTensor] = [:]
        for tensor in old.plan.tensors { known[old.names.bare(tensor.name)] = tensor }
        for tensor in plan.tensors {
            let name = names.bare(tensor.name)
            guard let source = known[name], source.shape == tensor.shape, !isHead(tensor) else { continue }
            (values + tensor.parameter.offset).update(
                from: old.values + source.parameter.offset, count: tensor.parameter.count)
            if let tail = tensor.tail?.parameter, let other = source.tail?.parameter {
                (values + tail.offset).update(from: old.values + other.offset, count: tail.count)
            }
        }
    }

    private func isHead(_ tensor: PlannedTensor) -> Bool {
        plan.head?.parameters.contains { $0.offset == tensor.parameter.offset } ?? false
    }
}
