import CGraftKernels
import GraftFormats
import GraftLayers
import GraftTensor

/// A model's checkpoint with an adapter in its weights: what transformers would save of the same
/// model, merged.
///
/// What the adapter changes is made when it is read, in float32; everything else is the
/// checkpoint's own. A head makes the checkpoint one of the task's class.
package struct MergedModel {
    private let model: Model
    private let source: any TensorSource
    private let delta: WeightDelta
    /// Of the tensors that the checkpoint does not have.
    private let usualType: ElementType
    private var made: [(name: String, type: ElementType, shape: [Int], make: TensorView.Make)] = []
    private var config: JSONObject

    private typealias Copy = (UnsafeMutablePointer<Float>) throws(GraftError) -> Void

    /// - Parameter source: what the model was loaded from.
    package static func view(of source: any TensorSource, model: Model, _ delta: WeightDelta) throws(GraftError)
        -> TensorView
    {
        var merged = try MergedModel(source, model, delta)
        try merged.addVocabulary()
        for index in model.sites.indices { merged.addModule(index) }
        let named = merged.names(of: try merged.addHead())
        return TensorView(
            of: source, config: .object(merged.config), named: named,
            made: merged.made.map { (named($0.name) ?? $0.name, $0.type, $0.shape, $0.make) })
    }

    private init(_ source: any TensorSource, _ model: Model, _ delta: WeightDelta) throws(GraftError) {
        self.model = model
        self.source = source
        self.delta = delta
        config = try source.config.requireObject()
        let words = model.sites[model.vocabulary.words].storedWeight
        usualType = words.flatMap(source.entry)?.elementType ?? .float32
    }

    // ---- Modules ----

    private mutating func addModule(_ index: Int) {
        let site = model.sites[index]
        let isVocabulary = index == model.vocabulary.words || index == model.vocabulary.tiedHead
        if let name = site.storedWeight, delta.changesWeight(at: index), !isVocabulary { addWeight(index, as: name) }
        if let name = site.storedBias, delta.changesBias(at: index) {
            let source = source
            add(name, shape: [site.outputs]) { [delta] () throws(GraftError) in
                try delta.bias(at: index) { out throws(GraftError) in try Self.read(name, source, into: out) }
            }
        }
    }

    /// The weight of a module under a name of its own.
    private mutating func addWeight(_ index: Int, as name: String) {
        let (source, stored) = (source, model.sites[index].storedWeight ?? name)
        add(name, shape: delta.weightShape(at: index)) { [delta] () throws(GraftError) in
            try delta.weight(at: index) { out throws(GraftError) in try Self.read(stored, source, into: out) }
        }
    }

    private mutating func add(_ name: String, shape: [Int], _ make: @escaping TensorView.Make) {
        made.append((name, source.entry(name)?.elementType ?? usualType, shape, make))
    }

    private static func read(
        _ name: String, _ source: any TensorSource, into out: UnsafeMutablePointer<Float>
    ) throws(GraftError) {
        guard let entry = source.entry(name) else {
            throw GraftError(.notFound, "\(source.path): the tensor \"\(name)\" is missing")
        }
        let tensor = try source.read(entry)
        guard let type = tensor.elementType.kernelType else {
            throw GraftError(.unsupported, "\(source.path): tensor \"\(name)\" holds \(tensor.elementType.rawValue)")
        }
        tensor.withBytes { bytes in
            if let start = bytes.baseAddress { gk_to_float32(Int64(tensor.elementCount), start, type, out) }
        }
        tensor.release()
    }

    // ---- The tables of the vocabulary ----

    /// Tied tables stay one where the adapter leaves both or gives both the same; else each gets a
    /// tensor of its own.
    private mutating func addVocabulary() throws(GraftError) {
        let words = model.vocabulary.words
        let site = model.sites[words]
        if let head = model.vocabulary.tiedHead, site.storedWeight != nil {
            let own = (words: ownName(of: words), head: ownName(of: head))
            let changes = [words, head].contains { delta.changesWeight(at: $0) }
            if changes, !delta.sharesWeight(words, head) {
                addWeight(words, as: own.words)
                addWeight(head, as: own.head)
                config["tie_word_embeddings"] = .bool(false)
            } else if changes {
                for name in [own.words, own.head] where source.entry(name) != nil { addWeight(words, as: name) }
            }
        } else if let stored = site.storedWeight, delta.changesWeight(at: words) {
            addWeight(words, as: stored)
        }
        let size = delta.weightShape(at: words)[0]
        let outputs = model.vocabulary.head.map { delta.weightShape(at: $0)[0] } ?? size
        guard outputs == size else {
            throw GraftError(
                .unsupported,
                "the adapter has a table of \(size) tokens and chooses among \(outputs): no configuration of transformers "
                    + "says both")
        }
        if size != model.shape.vocabularySize { config["vocab_size"] = .integer(size) }
    }

    /// What a checkpoint calls a tied table where it has it itself, whichever of the two this one
    /// has.
    private func ownName(of site: Int) -> String {
        let path = model.sites[site].path + ".weight"
        return model.sites[site].place == .backbone ? prefix + path : path
    }

    /// Before the names of the backbone's modules, where the checkpoint is of a task's class.
    private var prefix: String { model.conventions.prefix(source.hasTensors) }

    // ---- The head ----

    /// The adapter's head makes the checkpoint one of the task's class.
    ///
    /// - Returns: that class; nil where the adapter has no head.
    private mutating func addHead() throws(GraftError) -> HeadClass? {
        guard let head = delta.content.plan.head, let task = delta.content.task else { return nil }
        let (conventions, kind) = (model.conventions, task.headClass ?? .rows)
        let readsTokens = kind.unit == .tokens
        let name = conventions.className + kind.rawValue
        let dense = conventions.headDensePath(kind)
        guard kind != .choices || conventions.choiceHeadPath != nil else {
            throw GraftError(.unsupported, "transformers has no class \(name) for the adapter's head")
        }
        guard head.chain == nil else {
            throw GraftError(
                .unsupported, "the adapter's head has a \(LabelChain.key), which no class of transformers has")
        }
        guard readsTokens || head.pooling == model.headPooling, head.dense.count == (dense == nil ? 0 : 1),
            dense == nil
                ? readsTokens || head.readsPooler : head.activation == conventions.headActivation && !head.readsPooler
        else {
            throw GraftError(
                .unsupported,
                "the adapter's head is none that a class of transformers has: expected one that reads what \(name) "
                    + (dense == nil ? "does, without dense layers of its own" : "does, with its one dense layer"))
        }
        let (path, width, delta) = (conventions.headPath(kind), model.shape.hiddenSize, delta)
        if let dense, let own = head.dense.first {
            add(dense + ".weight", shape: [width, width]) { () throws(GraftError) in try delta.copy(own.weight) }
            add(dense + ".bias", shape: [width]) { () throws(GraftError) in try delta.copy(own.bias) }
        }
        add(path + ".weight", shape: [head.labelCount, width]) { () throws(GraftError) in
            try delta.copy(head.weight)
        }
        if let bias = head.bias {
            add(path + ".bias", shape: [head.labelCount]) { () throws(GraftError) in try delta.copy(bias) }
        }
        var names = JSONObject()
        var numbers = JSONObject()
        for (index, label) in delta.content.labels.enumerated() {
            names[String(index)] = .string(label)
            numbers[label] = .integer(index)
        }
        config["architectures"] = [.string(name)]
        config["id2label"] = .object(names)
        config["label2id"] = .object(numbers)
        config["problem_type"] = task.problem.map { .string($0.rawValue) }
        // What says the same of the class that the checkpoint was.
        for key in ["num_labels", "_num_labels"] { config[key] = nil }
        return kind
    }

    /// What the merged checkpoint calls a tensor. A task's class puts the backbone's name before
    /// its tensors, and has none of another class' heads.
    private func names(of kind: HeadClass?) -> (String) -> String? {
        guard let kind else { return { $0 } }
        let (prefix, start) = (prefix, model.conventions.start(of: kind))
        let own = (model.conventions.headPaths(kind) + model.conventions.headTransformPaths).flatMap {
            [$0 + ".weight", $0 + ".bias"]
        }
        let others = model.sites.filter { $0.place == .beside }.flatMap { [$0.path + ".weight", $0.path + ".bias"] }
        return { name in
            if own.contains(name) { return name }
            if others.contains(name) { return nil }
            return name.hasPrefix(prefix) ? start + name.dropFirst(prefix.count) : nil
        }
    }
}
