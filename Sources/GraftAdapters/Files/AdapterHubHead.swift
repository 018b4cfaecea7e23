import GraftFormats
import GraftLayers
import GraftTensor

/// AdapterHub's dense head: dense layers with their non-linearity, then logits, with dropout before
/// each.
///
/// Where it is one of rows it reads the hidden state of the token that stands for a row, or with
/// `use_pooler` what the model's pooler makes of it; else that of each token. Its modules are
/// numbered as in a `torch.nn.Sequential` of all of them.
struct AdapterHubHead: Sendable {
    /// Before the name of each of its tensors.
    static let start = "heads."

    /// head_config.json.
    let config: JSONObject
    let task: Task
    let labels: [String]
    private let name: String
    private let layerCount: Int
    private let activation: Activation
    private let hasBias: Bool
    private let readsPooler: Bool
    private let dropout: Float?
    /// nil: the architecture's own. Another is no setting of AdapterHub's, which refuses it.
    private let pooling: Pooling?
    private static let poolingKey = "pooling"
    /// Nor is this: see `LabelChain`.
    private let hasChain: Bool

    /// A fresh one: `dense_layer` asks for AdapterHub's usual two layers.
    init(_ settings: HeadSettings, of task: Task, in frame: JSONObject) throws(GraftError) {
        let likeliest = task.hubName.flatMap { Self.task($0, labelCount: settings.labels.count) }
        guard let type = task.hubName, task == likeliest else {
            throw GraftError(
                .unsupported,
                "AdapterHub has no head of \(settings.labels.count) labels for the task \(task.name): its own is of "
                    + (likeliest?.name ?? "another"))
        }
        guard task.unit == .rows || settings.pooling == nil else {
            throw GraftError(.unsupported, "pooling: the task \(task.name) reads each token; expected no pooling")
        }
        var labelIndices = JSONObject()
        for (index, label) in settings.labels.enumerated() { labelIndices[label] = .integer(index) }
        var head = JSONObject()
        head["head_type"] = .string(type)
        if task.outputs == .choice {
            // What AdapterHub shapes scores by; its own default, since any number may be chosen
            // from.
            head["num_choices"] = 2
        } else {
            head["num_labels"] = .integer(settings.labels.count)
        }
        head["layers"] = .integer(settings.trainsDense ? 2 : 1)
        head["activation_function"] = "tanh"
        head["label2id"] = settings.ownsLabels ? .object(labelIndices) : .null
        if task.unit == .rows {
            head["use_pooler"] = false
            if task.outputs != .choice { head["bias"] = true }
        }
        head["dropout_prob"] = settings.dropout.map { .double(Double($0)) } ?? .null
        if let pooling = settings.pooling { head[Self.poolingKey] = .string(pooling.name) }
        if settings.hasChain { head[LabelChain.key] = true }
        var config = frame
        config["config"] = .object(head)
        self.config = config
        self.task = task
        pooling = settings.pooling
        hasChain = settings.hasChain
        labels = settings.labels
        name = frame["name"]?.stringValue ?? ""
        layerCount = settings.trainsDense ? 2 : 1
        activation = .tanh
        hasBias = true
        readsPooler = false
        dropout = settings.dropout
    }

    /// As a file has it.
    init(_ config: JSONObject, model: Model, place: String) throws(GraftError) {
        self.config = config
        guard let head = try config.optionalObject("config") else {
            throw GraftError(
                .unsupported,
                "\(place): the head of the class \(try config.optionalString("model_class") ?? "?"); expected one of an "
                    + "AdapterModel")
        }
        let type = try head.string("head_type")
        let known = Set(Tasks.all.compactMap(\.hubName))
        guard known.contains(type) else {
            throw GraftError(
                .unsupported,
                "\(place): head_type \"\(type)\"; expected "
                    + known.sorted().map { "\"\($0)\"" }.joined(separator: ", "))
        }
        for (key, _) in head where !Self.keys.contains(key) {
            throw GraftError(.unsupported, "\(place): setting \"\(key)\" of the head, which this build does not do")
        }
        name = try config.string("name")
        layerCount = try head.int("layers")
        let isChoice = Self.task(type, labelCount: 1)?.outputs == .choice
        let count = isChoice ? 1 : try head.int("num_labels")
        guard (1...64).contains(layerCount), (1...1 << 20).contains(count) else {
            throw GraftError(
                .unsupported,
                "\(place): a head of \(layerCount) layers and \(count) labels; expected 1 to 64 and 1 to 1048576")
        }
        guard let task = Self.task(type, labelCount: count), count == task.outputNames?.count ?? count else {
            throw GraftError(
                .unsupported,
                "\(place): head_type \"\(type)\" with num_labels \(count); expected 2, or of classification more")
        }
        self.task = task
        let function = try head.optionalString("activation_function")
        guard let activation = function.map({ Activation(name: $0.lowercased()) }) ?? .identity else {
            throw GraftError(
                .unsupported,
                "\(place): activation_function \"\(function ?? "")\" of the head; expected null, "
                    + Activation.names.joined(separator: ", "))
        }
        self.activation = activation
        hasBias = try head.optionalBool("bias") ?? true
        readsPooler = try head.optionalBool("use_pooler") ?? false
        dropout = try head.dropout("dropout_prob", .corruptFile, place: place)
        guard task.unit == .rows || (!readsPooler && head[Self.poolingKey] == nil) else {
            throw GraftError(
                .unsupported, "\(place): head_type \"\(type)\" with use_pooler or pooling; expected neither")
        }
        pooling = try head.pooling(Self.poolingKey, .unsupported, place: place)
        hasChain = try head.optionalBool(LabelChain.key) ?? false
        guard !hasChain || task.allowsChain else {
            throw GraftError(.unsupported, "\(place): head_type \"\(type)\" with \(LabelChain.key); expected none")
        }
        let named = try Self.labels(head, count: count, place: place)
        labels = task.outputNames ?? named
    }

    /// What AdapterHub trains a head of this type and size for.
    private static func task(_ type: String, labelCount: Int) -> Task? {
        Tasks.likeliest(of: Tasks.all.filter { $0.hubName == type }, nil, labelCount: labelCount)
    }

    private static let keys: Set<String> = [
        "activation_function", "bias", LabelChain.key, "dropout_prob", "head_type", "id2label", "label2id", "layers",
        "num_choices", "num_labels", poolingKey, "use_pooler",
    ]

    private static func labels(_ head: JSONObject, count: Int, place: String) throws(GraftError) -> [String] {
        var labels = numberedLabels(count)
        for (label, value) in try head.optionalObject("label2id") ?? JSONObject() {
            guard let index = value.intValue, labels.indices.contains(index) else {
                throw GraftError(
                    .corruptFile,
                    "\(place): label2id gives \"\(label)\" \(value.kind); expected 0 to \(count - 1)")
            }
            labels[index] = label
        }
        return labels
    }

    func plan(_ plan: inout AdapterPlan, _ model: Model) throws(GraftError) -> HeadParameters {
        if readsPooler, let path = model.missingForClassification.first {
            throw GraftError(
                .incompatible, "the model at \(model.source.path) has no \(path), which the head's use_pooler needs")
        }
        let width = model.shape.hiddenSize
        let start = PlannedTensor.Initial.normal(deviation: model.initializerRange)
        var dense: [HeadParameters.Dense] = []
        var module = 1
        for _ in 1..<layerCount {
            dense.append(
                HeadParameters.Dense(
                    weight: try plan.add(tensor(module, "weight"), shape: [width, width], start),
                    bias: try plan.add(tensor(module, "bias"), shape: [width], .zero)))
            // Dropout and linear, and the non-linearity if there is one.
            module += activation == .identity ? 2 : 3
        }
        let weight = try plan.add(tensor(module, "weight"), shape: [labels.count, width], start)
        let bias = hasBias ? try plan.add(tensor(module, "bias"), shape: [labels.count], .zero) : nil
        let chain = try plan.addChain((hasChain, labels.count)) { "\(Self.start)\(name).\(LabelChain.key).\($0)" }
        return HeadParameters(
            pooling: task.unit == .tokens ? nil : pooling ?? Pooling(model.summaryToken), readsPooler: readsPooler,
            dense: dense,
            activation: activation, weight: weight, bias: bias,
            labelCount: labels.count, dropout: dropout ?? model.headDropout(.rows), chain: chain)
    }

    private func tensor(_ module: Int, _ suffix: String) -> String { "\(Self.start)\(name).\(module).\(suffix)" }
}
