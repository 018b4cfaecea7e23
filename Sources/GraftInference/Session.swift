import CGraftKernels
import GraftAdapters
import GraftLayers
import GraftTensor

/// Runs a model for one stream of calls: threads, working memory, and the adapters of rows that name none.
///
/// Each row's result has the same bits whatever rows share its batch. Not for concurrent use; sessions of one model are.
package final class Session {
    package let model: any Transformer
    package private(set) var composition: Composition?
    let pass: Pass
    private let passTokenCount: Int
    private var embeddings: [EmbeddingChoice: SentenceEmbedding] = [:]
    /// Of the latest texts that went on; its memory serves the next.
    var cache: KeyValueCache?

    /// - Parameters:
    ///   - passTokenCount: tokens in one pass, 0 for a fitting number; a larger batch goes through in several.
    package init(
        model: any Transformer, threadCount: Int, passTokenCount: Int, cancelToken: CancelToken?
    ) throws(GraftError) {
        guard passTokenCount >= 0, passTokenCount <= 1 << 30 else {
            throw GraftError(.invalidArgument, "pass_token_count must be 0 to 1073741824, found \(passTokenCount)")
        }
        self.model = model
        pass = try Pass(team: try Team(threadCount: threadCount))
        pass.cancelToken = cancelToken
        self.passTokenCount = passTokenCount > 0 ? passTokenCount : 1024
    }

    package func attach(_ composition: Composition?) throws(GraftError) {
        if let composition { try check(composition) }
        self.composition = composition
    }

    private func check(_ composition: Composition) throws(GraftError) {
        guard composition.model === model else {
            throw GraftError(.incompatible, "the adapter was made for another model object than the session's")
        }
        _ = try composition.adapter.usable()
    }

    /// Hidden states after `layer` (0: embeddings): [tokens, hidden].
    package func hiddenStates(
        _ batch: RowBatch, adapters: [Composition?], layer: Int, into out: UnsafeMutablePointer<Float>
    ) throws(GraftError) {
        guard layer >= -1, layer <= model.shape.layerCount else {
            throw GraftError(
                .invalidArgument, "layer must be -1 (last) or 0 to \(model.shape.layerCount), found \(layer)")
        }
        let layer = layer == -1 ? model.shape.layerCount : layer
        let width = model.shape.hiddenSize
        defer { pass.capture = nil }
        try eachPass(batch, adapters, reading: nil) { first, _ throws(GraftError) in
            pass.capture = (layer, out + Int(batch.starts[first]) * width)
            _ = try model.forward(pass)
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

        func embedding(of model: any Transformer) throws(GraftError) -> SentenceEmbedding {
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
            try embedding.forward(hidden, into: Matrix(out + first * width, rows: count, columns: width), pass: pass)
        }
    }

    /// The largest number of labels among the heads of the rows.
    package func labelCount(_ batch: RowBatch, adapters: [Composition?]) throws(GraftError) -> Int {
        var columns = 0
        for row in 0..<batch.rowCount {
            let chosen = (row < adapters.count ? adapters[row] : nil) ?? composition
            guard let count = chosen?.attached.head?.labelCount ?? model.baseHead?.labels.count else {
                throw GraftError(
                    .invalidArgument,
                    "row \(row) has no classification head: attach an adapter that has one, or load a model with one")
            }
            columns = max(columns, count)
        }
        return columns
    }

    /// One logit for each row and label: [rows, columns], rows with fewer labels end in -infinity.
    package func classify(
        _ batch: RowBatch, adapters: [Composition?], columns: Int, into out: UnsafeMutablePointer<Float>
    ) throws(GraftError) {
        let classifier = SequenceClassifier(model: model)
        try eachPass(batch, adapters, reading: model.summaryToken) { first, count throws(GraftError) in
            let hidden = try model.forward(pass)
            let logits = Matrix(out + first * columns, rows: count, columns: columns)
            _ = try classifier.forward(hidden, into: logits, pass: pass)
        }
    }

    /// Checks rows and adapters, and runs the rows in passes of bounded size, each row with its adapter.
    private func eachPass(
        _ batch: RowBatch, _ adapters: [Composition?], reading summary: SummaryToken?,
        _ body: (_ first: Int, _ count: Int) throws(GraftError) -> Void
    ) throws(GraftError) {
        try check(batch, adapters)
        try eachPass(batch, reading: summary, adapter: { adapter(adapters, $0) }, body)
    }

    func check(_ batch: RowBatch, _ adapters: [Composition?]) throws(GraftError) {
        let shape = model.shape
        try batch.check(
            vocabularySize: shape.vocabularySize, typeCount: shape.typeCount, maximumLength: shape.maximumLength)
        if let composition { try check(composition) }
        for case let own? in adapters { try check(own) }
    }

    /// The row's own adapter, or the session's.
    func adapter(_ adapters: [Composition?], _ row: Int) -> AttachedAdapter? {
        ((row < adapters.count ? adapters[row] : nil) ?? composition)?.attached
    }

    func eachPass(
        _ batch: RowBatch, reading summary: SummaryToken?, cache: KeyValueCache? = nil,
        cacheRow: (Int) -> Int = { $0 }, adapter: (Int) -> AttachedAdapter?,
        _ body: (_ first: Int, _ count: Int) throws(GraftError) -> Void
    ) throws(GraftError) {
        var first = 0
        while first < batch.rowCount {
            let end = batch.passEnd(from: first, tokenBudget: passTokenCount)
            try pass.begin(
                batch, rows: first..<end, reading: summary, cache: cache, cacheRow: cacheRow, adapter: adapter)
            try body(first, end - first)
            first = end
        }
    }
}
