import CGraftKernels
import GraftAdapters
import GraftLayers
import GraftTensor

/// Runs a model for one stream of calls: threads, working memory, and the adapters of rows that
/// name none.
///
/// Each row's result has the same bits whatever rows share its batch. Not for concurrent use;
/// sessions of one model are.
package final class Session {
    package let model: Model
    /// That of the model's own head; nil without one.
    private let modelTask: Task?
    package private(set) var composition: Composition?
    let pass: Pass
    private let passTokenCount: Int
    private var embeddings: [EmbeddingChoice: SentenceEmbedding] = [:]
    /// Of the texts that go on, and of those before them.
    let cache: KeyValueCache
    /// Texts that go on.
    var generatedRows: [GeneratedRow] = []
    var constraints = KnownConstraints()
    /// Of the latest token; its memory serves the next.
    var likely = LogProbabilities()
    /// Of the latest call; their memory serves the next.
    var predictions: [Prediction] = []

    /// - Parameters:
    ///   - passTokenCount: tokens in one pass, 0 for a fitting number; a larger batch goes through
    ///     in several.
    package init(
        model: Model, threadCount: Int, passTokenCount: Int, cancelToken: CancelToken?
    ) throws(GraftError) {
        guard passTokenCount >= 0, passTokenCount <= 1 << 30 else {
            throw GraftError(.invalidArgument, "pass_token_count must be 0 to 1073741824, found \(passTokenCount)")
        }
        self.model = model
        modelTask = model.ownTask
        pass = try Pass(team: try Team(threadCount: threadCount))
        pass.cancelToken = cancelToken
        cache = KeyValueCache(
            layerCount: model.shape.layerCount, width: model.shape.keyWidth, precision: model.source.precision,
            hasSources: model.decoderTokens != nil)
        self.passTokenCount = passTokenCount > 0 ? passTokenCount : 1024
    }

    deinit { removeAllRows(remembering: false) }

    /// Bytes of working memory that were touched. Any thread may ask.
    package var residentByteCount: Int { pass.residentByteCount + cache.residentByteCount }

    package func attach(_ composition: Composition?) throws(GraftError) {
        if let composition { try check(composition) }
        self.composition = composition
    }

    private func check(_ composition: Composition) throws(GraftError) {
        guard composition.model === model else {
            throw GraftError(.incompatible, "the adapter was made for another model object than the session's")
        }
    }

    /// Hidden states after `layer` (0: embeddings): [tokens, hidden].
    package func hiddenStates(
        _ batch: RowBatch, adapters: [Composition?], layer: Int, into out: UnsafeMutablePointer<Float>
    ) throws(GraftError) {
        let last = model.shape.readingLayerCount
        guard layer >= -1, layer <= last else {
            throw GraftError(.invalidArgument, "layer must be -1 (last) or 0 to \(last), found \(layer)")
        }
        let layer = layer == -1 ? last : layer
        let width = model.shape.hiddenSize
        defer { pass.capture = nil }
        try eachPass(batch, adapters, reading: nil) { first, count throws(GraftError) in
            pass.capture = (layer, out + Int(batch.starts[first]) * width)
            try model.read(pass)
            for row in 0..<count {
                let tokens = batch.range(ofRow: first + row)
                try requireFinite(out + tokens.lowerBound * width, count: tokens.count * width, row: first + row)
            }
        }
    }

    /// How rows are embedded: nil is as the model's folder declares.
    package func embedding(_ pooling: Pooling?, normalizes: Bool?) throws(GraftError) -> SentenceEmbedding {
        // Made once, so that a call of a kind seen before asks the system for nothing.
        let choice = EmbeddingChoice(pooling: pooling, normalizes: normalizes)
        if let known = embeddings[choice] { return known }
        let made = try choice.embedding(of: model)
        embeddings[choice] = made
        return made
    }

    private struct EmbeddingChoice: Hashable {
        let pooling: Pooling?
        let normalizes: Bool?

        func embedding(of model: Model) throws(GraftError) -> SentenceEmbedding {
            if let pooling, let normalizes { return SentenceEmbedding([pooling], steps: []).normalizing(normalizes) }
            let declared = try model.source.sentences.embedding.get()
            if let pooling { return SentenceEmbedding([pooling], steps: []).normalizing(declared.normalizes) }
            return normalizes.map(declared.normalizing) ?? declared
        }
    }

    /// One vector a row: [rows, width].
    package func embed(
        _ batch: RowBatch, adapters: [Composition?], as embedding: SentenceEmbedding,
        into out: UnsafeMutablePointer<Float>
    ) throws(GraftError) {
        let width = embedding.width(hiddenSize: model.shape.hiddenSize)
        try eachPass(batch, adapters, reading: embedding.summary) { first, count throws(GraftError) in
            let hidden = try model.forward(pass)
            let rows = Matrix(out + first * width, rows: count, columns: width)
            try embedding.forward(hidden, into: rows, pass: pass)
            for row in 0..<count { try requireFinite(rows.base + row * width, count: width, row: first + row) }
        }
    }

    /// What a row's head has numbers of, what they mean, and how many there are.
    struct RowHead {
        let unit: ColumnKind.Unit
        let outputs: Task.Outputs
        let labelCount: Int
        /// How its labels follow each other; nil where each is by itself.
        let chain: LabelChain?
    }

    func head(ofRow row: Int, adapters: [Composition?]) throws(GraftError) -> RowHead {
        let own = composition(adapters, row)
        let task = own == nil ? modelTask : own?.task
        guard case .dense(let unit, let outputs) = task?.head,
            let count = own?.attached.head?.labelCount ?? model.baseHead?.labels.count
        else {
            throw GraftError(
                .invalidArgument,
                "row \(row) has no classification head: attach an adapter that has one, or load a model with one")
        }
        return RowHead(unit: unit, outputs: outputs, labelCount: count, chain: LabelChain(own?.attached))
    }

    /// What the heads of the rows have numbers of, and the most of any.
    package func outputs(
        _ batch: RowBatch, adapters: [Composition?]
    ) throws(GraftError) -> (unit: ColumnKind.Unit, columns: Int) {
        var outputs = (unit: ColumnKind.Unit.rows, columns: 0)
        for row in 0..<batch.rowCount {
            let head = try head(ofRow: row, adapters: adapters)
            guard row == 0 || head.unit == outputs.unit else {
                throw GraftError(
                    .incompatible,
                    "row \(row) has a head of \(head.unit), and the rows before it have heads of \(outputs.unit): expected "
                        + "those of one kind in a batch")
            }
            outputs = (head.unit, max(outputs.columns, head.labelCount))
        }
        return outputs
    }

    /// The numbers of each row or token: [rows or tokens, columns]; where a head has fewer, they
    /// end in -infinity.
    package func classify(
        _ batch: RowBatch, adapters: [Composition?], into out: UnsafeMutablePointer<Float>
    ) throws(GraftError) {
        let (unit, columns) = try outputs(batch, adapters: adapters)
        try eachHead(batch, adapters, unit) { first, count in
            Matrix(out + first * columns, rows: count, columns: columns)
        } body: { row, head, numbers throws(GraftError) in
            for line in 0..<numbers.rows {
                try requireFinite(numbers.base + line * numbers.stride, count: head.labelCount, row: row)
            }
        }
    }

    /// Runs the heads of the rows, all of one unit, pass by pass.
    ///
    /// - Parameters:
    ///   - place: Where the numbers of a pass go: so many, from place `first` of the batch.
    ///   - body: Receives those of each row: [1 or tokens, the head's labels].
    func eachHead(
        _ batch: RowBatch, _ adapters: [Composition?], _ unit: ColumnKind.Unit,
        _ place: (_ first: Int, _ count: Int) throws(GraftError) -> Matrix,
        body: (_ row: Int, _ head: RowHead, _ numbers: Matrix) throws(GraftError) -> Void
    ) throws(GraftError) {
        let dense = DenseHead(model: model, unit: unit)
        let batch = try rowsOfHeads(batch, dense.unit)
        try eachPass(batch, adapters, reading: summary(batch, adapters, dense)) { first, count throws(GraftError) in
            let hidden = try model.forward(pass)
            let start = batch.range(ofRow: first, in: unit).lowerBound
            let numbers = try place(start, dense.count(pass))
            _ = try dense.forward(hidden, into: numbers, pass: pass)
            for row in first..<first + count {
                let head = try head(ofRow: row, adapters: adapters)
                let lines = batch.range(ofRow: row, in: unit)
                try body(
                    row, head,
                    numbers.rows(from: lines.lowerBound - start, count: lines.count).columns(
                        from: 0, count: head.labelCount))
            }
        }
    }

    /// What heads read: the rows, or where an encoder reads these, those of a decoder.
    private func rowsOfHeads(_ batch: RowBatch, _ unit: ColumnKind.Unit) throws(GraftError) -> RowBatch {
        guard let tokens = model.decoderTokens else { return batch }
        var rows = RowBatch()
        try rows.takeRows(of: batch, tokens, for: unit)
        return rows
    }

    /// The only token of a row that the rows' heads read. nil where they read more, or different
    /// ones: such rows share passes that read all.
    func summary(_ batch: RowBatch, _ adapters: [Composition?], _ head: DenseHead) -> SummaryToken? {
        let first = head.pooling(adapter(adapters, 0))
        for row in 0..<batch.rowCount where head.pooling(adapter(adapters, row)) != first { return nil }
        return head.summary(first)
    }

    /// What a model that works computes is finite.
    private func requireFinite(
        _ results: UnsafePointer<Float>, count: Int, row: Int
    ) throws(GraftError) {
        let index = Int(gk_first_not_finite(Int64(count), results))
        guard index >= 0 else { return }
        throw GraftError(
            .diverged,
            "row \(row): the result has \(results[index]) and not a finite number: an adapter or the model is broken")
    }

    /// Checks rows and adapters, and runs the rows in passes of bounded size, each row with its
    /// adapter.
    func eachPass(
        _ batch: RowBatch, _ adapters: [Composition?], reading summary: SummaryToken?,
        _ body: (_ first: Int, _ count: Int) throws(GraftError) -> Void
    ) throws(GraftError) {
        try check(batch, adapters)
        try reading(adapters) { () throws(GraftError) in
            try eachPass(batch, reading: summary, adapter: { adapter(adapters, $0) }, body)
        }
    }

    /// Runs `body` while no trainer changes the adapters of the rows.
    func reading(_ adapters: [Composition?], _ body: () throws(GraftError) -> Void) throws(GraftError) {
        var begun = 0
        defer { for index in 0..<begun { used(adapters, index)?.endReading() } }
        for index in 0...adapters.count {
            try used(adapters, index)?.beginReading()
            begun += 1
        }
        try body()
    }

    /// The rows' adapters, and last the session's.
    private func used(_ adapters: [Composition?], _ index: Int) -> Composition? {
        index < adapters.count ? adapters[index] : composition
    }

    func check(_ batch: RowBatch, _ adapters: [Composition?]) throws(GraftError) {
        let shape = model.shape
        try batch.check(
            typeCount: shape.typeCount, maximumLength: shape.maximumLength,
            vocabularySize: { model.vocabularySize(adapter(adapters, $0)) },
            virtualCount: { adapter(adapters, $0)?.virtualCount ?? 0 })
        if let composition { try check(composition) }
        for case let own? in adapters { try check(own) }
    }

    /// The row's own adapter, or the session's.
    func adapter(_ adapters: [Composition?], _ row: Int) -> AttachedAdapter? { composition(adapters, row)?.attached }

    func composition(_ adapters: [Composition?], _ row: Int) -> Composition? {
        (row < adapters.count ? adapters[row] : nil) ?? composition
    }

    func eachPass(
        _ batch: RowBatch, reading summary: SummaryToken?, cache: KeyValueCache? = nil,
        cacheRow: (Int) -> Int = { $0 }, adapter: (Int) -> AttachedAdapter?,
        _ body: (_ first: Int, _ count: Int) throws(GraftError) -> Void
    ) throws(GraftError) {
        try pass.each(
            of: batch, tokenBudget: passTokenCount, reading: summary, cache: cache, cacheRow: cacheRow, adapter: adapter
        ) { rows throws(GraftError) in try body(rows.lowerBound, rows.count) }
    }
}
