import Glibc
import GraftAdapters
import GraftFormats
import GraftLayers
import GraftTensor

/// A folder that holds all that training needs to go on with the same bits: the adapter in its
/// layout, and `trainer.safetensors`.
///
/// That file's tensors are the numbers, by name: the adapter's, what optimizer and rule keep,
/// gradients that wait, the best weights. Its metadata hold one JSON object with all else: what the
/// training was set to, and where it stands. One file, so that it takes the place of its like in a
/// single step wherever the folder stands (docs/decisions/0016).
enum Checkpoint {
    static let fileName = "trainer.safetensors"
    static let version = 4
    /// Of the metadata.
    static let stateKey = "graft_trainer"

    /// Every file that the folder may hold.
    static var fileNames: [String] { AdapterLayouts.fileNames + [fileName] }

    /// Whether there is one, once what killed writers left beside it is gone.
    static func find(at path: String) throws(GraftError) -> Bool {
        try AtomicDirectory.removeLeftovers(of: path, files: fileNames)
        return access(path + "/" + fileName, F_OK) == 0
    }

    /// 64 bits, which JSON's numbers do not hold everywhere.
    static func text(_ hash: UInt64) -> JSON { .string(String(hash, radix: 16)) }
}

extension Trainer {
    /// Writes the folder.
    package func save(to path: String) throws(GraftError) {
        try adapter.read { _, _ throws(GraftError) in try write(to: path) }
    }

    /// As `save`, for a call that has the adapter's numbers to itself.
    func write(to path: String) throws(GraftError) {
        let files = try content.files(withPruned: true)
        var tensors: [SafetensorsWriter.Tensor] = []
        func add(_ name: String, _ start: UnsafeMutablePointer<Float>, _ count: Int) {
            tensors.append((name, .float32, [count], UnsafeRawBufferPointer(start: start, count: count * 4)))
        }
        add("values", content.values, optimizer.count)
        for (name, kept) in keptArrays {
            for (index, array) in kept.arrays.enumerated() { add("\(name).\(array.name)", kept[index], array.count) }
        }
        if let bestValues, progress.best != nil { add("best_values", bestValues.floats(), optimizer.count) }
        if waiting.batchCount > 0 { add("gradients", optimizer.gradients, optimizer.count) }
        let writer = try SafetensorsWriter(
            tensors: tensors, metadata: [(Checkpoint.stateKey, JSON.object(recorded).serialized())])
        let keys = [AdapterFiles.configName, Checkpoint.fileName]
        try AtomicDirectory.write(to: path, keys: keys) { folder throws(GraftError) in
            try files.write(to: &folder, values: content.values)
            try folder.write(to: Checkpoint.fileName) { output throws(GraftError) in try writer.write(to: output) }
        }
    }

    /// What is kept between updates, and what its tensors' names begin with.
    private var keptArrays: [(name: String, kept: StateArrays)] {
        [("optimizer", optimizer.kept)] + (rule.map { [("rule", $0.kept)] } ?? [])
    }

    /// All that is no tensor.
    private var recorded: JSONObject {
        var object = JSONObject()
        object["version"] = .integer(Checkpoint.version)
        object["model"] = ["precision": .string("\(source.precision)"), "weights": Checkpoint.text(source.identity)]
        object["settings"] = .object(settings)
        object["progress"] = .object(progress.recorded)
        object["waiting"] = .object(waiting.recorded)
        return object
    }

    private var source: ModelSource { content.model.source }

    /// What a checkpoint must have been written with: the options, and what no adapter's files say.
    private var settings: JSONObject {
        var object = options.recorded
        for (key, value) in choices.recorded { object[key] = value }
        object["head_dropout"] = .number("\(content.plan.head?.dropout ?? 0)")
        return object
    }

    /// Restores what `save` wrote. On an error nothing changed.
    package func resume(from path: String) throws(GraftError) {
        try adapter.change { () throws(GraftError) in try restore(from: path) }
    }

    /// As `resume`, for a call that has the adapter's numbers to itself.
    func restore(from path: String) throws(GraftError) {
        let file = try CheckpointFile(path: path + "/" + Checkpoint.fileName)
        try file.requireSettings(settings, unrecorded: choices.unrecorded)
        let saved = try Adapter(model: content.model, path: path).content
        if let difference = content.difference(from: saved) {
            throw GraftError(.incompatible, "\(path) holds another adapter: \(difference)")
        }
        let model = try file.state.object("model")
        guard try model.string("precision") == "\(source.precision)" else {
            throw GraftError(
                .incompatible,
                "\(file.path) was trained on a model held at another precision than \(source.precision), which this one has"
            )
        }
        guard model["weights"] == Checkpoint.text(source.identity) else {
            throw GraftError(
                .incompatible, "\(file.path) was trained on other base weights than those of \(source.path)")
        }
        let restored = try TrainingProgress(try file.state.object("progress"))
        let sums = try StepSums(try file.state.object("waiting"))
        guard sums.batchCount < options.batchesPerStep else {
            throw GraftError(
                .corruptFile, "\(file.path): \(sums.batchCount) batches wait for a step of \(options.batchesPerStep)")
        }
        try file.requireFinite()
        let count = optimizer.count
        var copies: [(from: StoredTensor, to: UnsafeMutablePointer<Float>)] = [
            (try file.tensor("values", count: count), content.values)
        ]
        for (name, kept) in keptArrays {
            for (index, array) in kept.arrays.enumerated() {
                copies.append((try file.tensor("\(name).\(array.name)", count: array.count), kept[index]))
            }
        }
        if sums.batchCount > 0 { copies.append((try file.tensor("gradients", count: count), optimizer.gradients)) }
        var best: Memory?
        if restored.best != nil {
            let numbers = try file.tensor("best_values", count: count)
            let memory = try Memory(byteCount: count * 4)
            numbers.copy(to: memory.base)
            best = memory
        }
        dropWaiting()
        for copy in copies { copy.from.copy(to: copy.to) }
        content.restoreTails(from: saved)
        waiting = sums
        maximumLength = saved.maximumLength
        content.maximumLength = saved.maximumLength
        bestValues = best
        progress = restored
        adapter.markChanged()
    }
}
