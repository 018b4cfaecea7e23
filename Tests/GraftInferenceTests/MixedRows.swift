import GraftAdapters
import GraftFormats
import GraftInference
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport

/// A small model, adapters of every sort on it, and a batch in which each row has another one.
struct MixedRows {
    let model: Model
    let rows: RowBatch
    /// One for each row; nil for rows without an adapter.
    let adapters: [Composition?]
    /// Number of labels of each row's head.
    let labelCounts: [Int]

    /// Golden folders whose adapters do all that an adapter can do at a site.
    static let goldenFolders =
        [
            "default", "rank-and-alpha", "rslora", "patterns", "targets-all-linear", "modules-to-save-pooler",
            "bias-all", "lora-bias", "embedding-all", "no-task", "target-classifier",
        ].map { "lora/\($0)" }
        + ["seq-bn", "double-seq-bn", "par-bn", "residual-after-norm", "post-add", "leave-out"].map {
            "bottleneck/\($0)/start"
        }

    init(_ precision: Precision) throws {
        model = try Architectures.load(path: Goldens.path("bert-tiny/sequence-classification"), precision: precision)
        var compositions: [Composition?] = [nil]
        var counts = [3]
        for folder in Self.goldenFolders {
            let adapter = try Adapter(model: model, path: Goldens.path(folder))
            compositions.append(try Composition(adapter: adapter, scale: 1))
            counts.append(3)
        }
        for (rank, targets, labels, scale) in [
            (1, "[\"query\"]", 2, Float(1)), (5, "[\"value\", \"dense\"]", 7, 0.5), (16, "\"all-linear\"", 4, -2),
        ] {
            let adapter = try Self.adapter(model, rank: rank, targets: targets, labels: labels)
            compositions.append(try Composition(adapter: adapter, scale: scale))
            counts.append(labels)
        }
        for (pooling, labels, dense) in [(Pooling.mean, 5, false), (.last, 2, true), (.mean, 3, true)] {
            let adapter = try Self.adapter(
                model, rank: 3, targets: "\"all-linear\"", labels: labels, pooling: pooling, hasDenseLayer: dense)
            compositions.append(try Composition(adapter: adapter, scale: 1))
            counts.append(labels)
        }
        // Neighbours share an adapter now and then; the others change from row to row.
        let inputs = try Goldens.rows(try JSON(contentsOf: Goldens.path("bert-tiny/inputs.json")))
        var rows = RowBatch()
        var adapters: [Composition?] = []
        var labelCounts: [Int] = []
        for index in 0..<2 * compositions.count {
            let choice = index < 4 ? 0 : (index * 11 / 2) % compositions.count
            rows.append(row: index % inputs.rowCount, of: inputs)
            adapters.append(compositions[choice])
            labelCounts.append(counts[choice])
        }
        self.rows = rows
        self.adapters = adapters
        self.labelCounts = labelCounts
    }

    /// An adapter whose every number is random, so that it changes what the model computes.
    static func adapter(
        _ model: Model, rank: Int, targets: String, labels: Int, seed: UInt64 = 5,
        pooling: Pooling? = nil, hasDenseLayer: Bool = false
    ) throws -> Adapter {
        let adapter = try Adapter(
            model: model, method: "lora",
            config: "{\"r\": \(rank), \"target_modules\": \(targets), \"init_lora_weights\": false}", seed: seed)
        try adapter.set(
            .sequenceClassification,
            HeadSettings(
                labels: (0..<labels).map { "label \($0)" }, dropout: nil, trainsDense: hasDenseLayer, pooling: pooling))
        return adapter
    }

    /// Row `row` as a batch of its own.
    func single(_ row: Int) -> RowBatch {
        var batch = RowBatch()
        batch.append(row: row, of: rows)
        return batch
    }

    func session(threads: Int = 1, passTokenCount: Int = 0) throws -> Session {
        try Session(model: model, threadCount: threads, passTokenCount: passTokenCount, cancelToken: nil)
    }
}

/// What a session computes, as arrays.
extension Session {
    func embeddings(
        _ batch: RowBatch, _ adapters: [Composition?] = [], pooling: Pooling = .mean, normalizes: Bool = true
    ) throws -> [Float] {
        var out = [Float](repeating: .nan, count: batch.rowCount * model.shape.hiddenSize)
        try embed(batch, adapters: adapters, as: try embedding(pooling, normalizes: normalizes), into: &out)
        return out
    }

    func states(_ batch: RowBatch, _ adapters: [Composition?] = [], layer: Int = -1) throws -> [Float] {
        var out = [Float](repeating: .nan, count: batch.tokenCount * model.shape.hiddenSize)
        try hiddenStates(batch, adapters: adapters, layer: layer, into: &out)
        return out
    }

    func logits(_ batch: RowBatch, _ adapters: [Composition?] = []) throws -> (columns: Int, values: [Float]) {
        let (unit, columns) = try outputs(batch, adapters: adapters)
        var out = [Float](repeating: .nan, count: batch.count(unit) * columns)
        try classify(batch, adapters: adapters, into: &out)
        return (columns, out)
    }
}

/// The bits of numbers: equal means equal to the last one, NaN included.
func bits(_ numbers: some Sequence<Float>) -> [UInt32] { numbers.map(\.bitPattern) }
