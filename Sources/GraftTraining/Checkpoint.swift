import Glibc
import GraftAdapters
import GraftFormats
import GraftLayers
import GraftTensor

/// A folder that holds all that training needs to go on with the same bits: the adapter in its layout, and
/// `trainer.safetensors` with the options, the numbers, the optimizer's moments, the best weights, and where training stands.
enum Checkpoint {
    static let fileName = "trainer.safetensors"
    static let version: Int64 = 4

    /// Every file that the folder may hold.
    static var fileNames: [String] { AdapterLayouts.fileNames + [fileName] }

    /// Whether there is one, once what killed writers left beside it is gone.
    static func find(at path: String) throws(GraftError) -> Bool {
        try AtomicDirectory.removeLeftovers(of: path, files: fileNames)
        return access(path + "/" + fileName, F_OK) == 0
    }
}

extension Trainer {
    /// Writes the folder.
    package func save(to path: String) throws(GraftError) {
        try adapter.read { _, _ throws(GraftError) in try write(to: path) }
    }

    /// As `save`, for a call that has the adapter's numbers to itself.
    func write(to path: String) throws(GraftError) {
        let files = try content.files()
        let count = optimizer.count
        func numbers(_ name: String, _ start: UnsafeMutablePointer<Float>) -> SafetensorsWriter.Tensor {
            (name, .float32, [count], UnsafeRawBufferPointer(start: start, count: count * 4))
        }
        var tensors = [
            numbers("values", content.values), numbers("first_moment", optimizer.firstMoment),
            numbers("second_moment", optimizer.secondMoment),
        ]
        if let bestValues, progress.best != nil { tensors.append(numbers("best_values", bestValues.floats())) }
        if waiting.batchCount > 0 { tensors.append(numbers("gradients", optimizer.gradients)) }
        let counts =
            [
                Checkpoint.version, Int64(content.model.source.precision.rawValue),
                Int64(bitPattern: content.model.source.identity),
            ] + waiting.counts + progress.counts
        let names = ([Measure.loss] + objective.measures).map(\.name)
        let measures = waiting.measures + progress.measures(evaluationOf: names)
        let state = try Memory(byteCount: 8 * (counts.count + measures.count))
        let places = UnsafeMutableRawBufferPointer(start: state.base, count: 8 * (counts.count + measures.count))
        counts.withUnsafeBytes { places.copyMemory(from: $0) }
        let rest = UnsafeMutableRawBufferPointer(rebasing: places[(8 * counts.count)...])
        measures.withUnsafeBytes { rest.copyMemory(from: $0) }
        tensors.append(
            ("counts", .signed64, [counts.count], UnsafeRawBufferPointer(rebasing: places[..<(8 * counts.count)])))
        tensors.append(("measures", .float64, [measures.count], UnsafeRawBufferPointer(rest)))
        let writer = try SafetensorsWriter(tensors: tensors, metadata: settings.map { ($0.name, $0.value) })
        defer { withExtendedLifetime(state) {} }
        let keys = [AdapterFiles.configName, Checkpoint.fileName]
        try AtomicDirectory.write(to: path, keys: keys) { folder throws(GraftError) in
            try files.write(to: &folder, values: content.values)
            try folder.write(to: Checkpoint.fileName) { output throws(GraftError) in try writer.write(to: output) }
        }
    }

    /// Restores what `save` wrote. On an error nothing changed.
    package func resume(from path: String) throws(GraftError) {
        try adapter.change { () throws(GraftError) in try restore(from: path) }
    }

    /// As `resume`, for a call that has the adapter's numbers to itself.
    func restore(from path: String) throws(GraftError) {
        let file = try SafetensorsFile(path: path + "/" + Checkpoint.fileName, copies: true)
        let version = file["counts"].flatMap { tensor in
            tensor.bytes.count < 8 ? nil : tensor.bytes.loadUnaligned(as: Int64.self)
        }
        if let version, version != Checkpoint.version {
            throw GraftError(.unsupported, "\(file.path): version \(version); this build reads \(Checkpoint.version)")
        }
        let firstProgress = 3 + StepSums.countCount
        let counts: [Int64] = try read(
            file, "counts", .signed64, count: firstProgress + TrainingProgress.countCount)
        let names = ([Measure.loss] + objective.measures).map(\.name)
        let measures: [Double] = try read(
            file, "measures", .float64,
            count: StepSums.measureCount + TrainingProgress.measureCount(evaluationOf: names))
        for (name, value) in settings where file.metadata[name] != value {
            throw GraftError(
                .incompatible,
                "\(file.path) was written with \(name) \(file.metadata[name] ?? "unknown"); this trainer has \(value)")
        }
        let saved = try Adapter(model: content.model, path: path).content
        if let difference = content.difference(from: saved) {
            throw GraftError(.incompatible, "\(path) holds another adapter: \(difference)")
        }
        let source = content.model.source
        guard counts[1] == Int64(source.precision.rawValue) else {
            throw GraftError(
                .incompatible,
                "\(file.path) was trained on a model held at another precision than \(source.precision), which this one has"
            )
        }
        guard counts[2] == Int64(bitPattern: source.identity) else {
            throw GraftError(
                .incompatible, "\(file.path) was trained on other base weights than those of \(source.path)")
        }
        guard
            let sums = StepSums(counts: counts[3..<firstProgress], measures: measures.prefix(StepSums.measureCount)),
            sums.batchCount < options.batchesPerStep,
            let restored = TrainingProgress(
                counts: Array(counts[firstProgress...]), measures: Array(measures.dropFirst(StepSums.measureCount)),
                evaluationOf: names)
        else {
            throw GraftError(.corruptFile, "\(file.path): tensor \"counts\" holds numbers that no training reaches")
        }
        try requireFinite(file)
        let values = try tensor(file, "values", .float32, count: optimizer.count)
        let first = try tensor(file, "first_moment", .float32, count: optimizer.count)
        let second = try tensor(file, "second_moment", .float32, count: optimizer.count)
        let gradients = sums.batchCount > 0 ? try tensor(file, "gradients", .float32, count: optimizer.count) : nil
        var best: Memory?
        if restored.best != nil {
            let numbers = try tensor(file, "best_values", .float32, count: optimizer.count)
            let memory = try Memory(byteCount: optimizer.count * 4)
            numbers.copy(to: memory.base)
            best = memory
        }
        dropWaiting()
        values.copy(to: content.values)
        first.copy(to: optimizer.firstMoment)
        second.copy(to: optimizer.secondMoment)
        gradients?.copy(to: optimizer.gradients)
        waiting = sums
        maximumLength = saved.maximumLength
        content.maximumLength = saved.maximumLength
        bestValues = best
        progress = restored
        adapter.markChanged()
    }

    /// Numbers that no training leaves.
    private func requireFinite(_ file: SafetensorsFile) throws(GraftError) {
        for tensor in file.tensors where tensor.elementType == .float32 {
            let found = tensor.withBytes { bytes -> (index: Int, value: Float)? in
                for index in 0..<tensor.elementCount {
                    let value = bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
                    if !value.isFinite { return (index, value) }
                }
                return nil
            }
            guard let found else { continue }
            throw GraftError(
                .corruptFile,
                "\(file.path): tensor \"\(tensor.name)\" has \(found.value) at \(found.index); expected finite numbers")
        }
    }

    private func tensor(
        _ file: SafetensorsFile, _ name: String, _ type: ElementType, count: Int
    ) throws(GraftError) -> StoredTensor {
        guard let tensor = file[name], tensor.elementType == type, tensor.shape == [count] else {
            throw GraftError(
                .corruptFile,
                "\(file.path): expected tensor \"\(name)\" of \(type.rawValue) and shape [\(count)], found "
                    + (file[name].map { "\($0.elementType.rawValue) \($0.shape)" } ?? "none"))
        }
        return tensor
    }

    /// A few numbers of a file.
    private func read<Number: BitwiseCopyable>(
        _ file: SafetensorsFile, _ name: String, _ type: ElementType, count: Int
    ) throws(GraftError) -> [Number] {
        try tensor(file, name, type, count: count).withBytes { bytes in
            (0..<count).map {
                bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Number>.stride, as: Number.self)
            }
        }
    }

    /// What a checkpoint must have been written with: the options, and what no adapter's files say.
    private var settings: [(name: String, value: String)] {
        options.named + [("dropout of the head", "\(content.plan.head?.dropout ?? 0)")]
    }

    /// A number that changes with the rows, their order and their labels.
    static func fingerprint(_ dataset: RowBatch) -> UInt64 {
        var hash = UInt64(dataset.rowCount)
        for row in 0..<dataset.rowCount { hash = mixed(hash, UInt64(dataset.length(ofRow: row))) }
        for list in [dataset.tokens, dataset.types] + dataset.columns.map(\.integers) {
            for number in list { hash = mixed(hash, UInt64(UInt32(bitPattern: number))) }
        }
        for number in dataset.columns.flatMap(\.floats) { hash = mixed(hash, UInt64(number.bitPattern)) }
        return hash
    }
}

extension TrainingProgress {
    static let countCount = 19

    /// Of a step's measures, the best evaluation's and its values by these names.
    static func measureCount(evaluationOf names: [String]) -> Int { 8 + names.count }

    /// Everything whole, in a fixed order.
    var counts: [Int64] {
        let whole =
            [step, totalSteps, batch, epoch, batchInEpoch, evaluationsWithoutGain, phase.rawValue]
            + [isFinished ? 1 : 0, best == nil ? 0 : 1, data == nil ? 0 : 1]
            + Self.whole(latest) + Self.whole(best ?? Metrics())
        return whole.map(Int64.init) + [Int64(bitPattern: data ?? 0)]
    }

    func measures(evaluationOf names: [String]) -> [Double] {
        Self.real(latest) + Self.real(best ?? Metrics()) + names.map { best?.evaluation?.value($0) ?? .nan }
    }

    /// nil where a count is one that no training reaches.
    init?(counts: [Int64], measures: [Double], evaluationOf names: [String]) {
        let whole = counts.dropLast().map { Int(truncatingIfNeeded: $0) }
        guard counts.count == Self.countCount, measures.count == Self.measureCount(evaluationOf: names),
            whole.allSatisfy({ $0 >= 0 && $0 < 1 << 48 }), whole[7...9].allSatisfy({ $0 <= 1 }),
            let phase = Phase(rawValue: whole[6])
        else { return nil }
        step = whole[0]
        totalSteps = whole[1]
        batch = whole[2]
        epoch = whole[3]
        batchInEpoch = whole[4]
        evaluationsWithoutGain = whole[5]
        self.phase = phase
        isFinished = whole[7] == 1
        data = whole[9] == 1 ? UInt64(bitPattern: counts[18]) : nil
        latest = Self.metrics(whole[10..<14], measures[0..<4])
        if whole[8] == 1 {
            var metrics = Self.metrics(whole[14..<18], measures[4..<8])
            metrics.evaluation = Evaluation(
                zip(names, measures[8...]).map { ($0, $1) }, rowCount: metrics.rowCount, tokenCount: metrics.tokenCount)
            best = metrics
        }
        latest.totalSteps = totalSteps
        best?.totalSteps = totalSteps
    }

    private static func whole(_ metrics: Metrics) -> [Int] {
        [metrics.step, metrics.epoch, metrics.rowCount, metrics.tokenCount]
    }

    private static func real(_ metrics: Metrics) -> [Double] {
        [metrics.loss, metrics.learningRate, metrics.gradientNorm, metrics.tokensPerSecond]
    }

    private static func metrics(_ whole: ArraySlice<Int>, _ real: ArraySlice<Double>) -> Metrics {
        let (whole, real) = (Array(whole), Array(real))
        var metrics = Metrics()
        (metrics.step, metrics.epoch, metrics.rowCount, metrics.tokenCount) = (whole[0], whole[1], whole[2], whole[3])
        (metrics.loss, metrics.learningRate, metrics.gradientNorm) = (real[0], real[1], real[2])
        metrics.tokensPerSecond = real[3]
        return metrics
    }
}
