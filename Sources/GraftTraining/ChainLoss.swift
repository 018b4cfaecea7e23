import GraftAdapters
import GraftLayers
import GraftTensor

/// The loss of a head whose labels are a chain: -log of how likely the labels of a row's tokens are
/// together. A token whose label is below zero is no part of the chain.
///
/// As other losses of tokens it is the mean over those that have labels: pytorch-crf's
/// `token_mean`.
struct ChainLoss: DenseLoss {
    /// Of the same labels without the chain.
    private let choice: ChoiceLoss

    init(_ choice: ChoiceLoss, _ options: TrainerOptions) throws(GraftError) {
        self.choice = choice
        for (name, isSet) in [
            ("class_weights", !options.classWeights.isEmpty), ("label_smoothing", options.labelSmoothing != 0),
        ] where isSet {
            throw GraftError(
                .invalidArgument,
                "\(name): the head has a \(LabelChain.key), whose loss is one of a row's labels together; expected none"
            )
        }
    }

    var measures: [Measure] { choice.measures }
    var withoutWeight: String { "no token has a label" }
    var measuresWithoutWeight: Bool { choice.measuresWithoutWeight }

    func check(_ batch: RowBatch) throws(GraftError) { try choice.check(batch) }
    func weight(ofRow row: Int, in batch: RowBatch) -> Double { choice.weight(ofRow: row, in: batch) }
    func evidenceByteCount(_ batch: RowBatch) -> Int { choice.evidenceByteCount(batch) }

    private func chain(_ pass: Pass) throws(GraftError) -> LabelChain {
        guard let chain = LabelChain(pass.segments.first?.adapter) else {
            throw GraftError(.internal, "the rows have no chain of labels")
        }
        return chain
    }

    func add(
        _ logits: Matrix, _ batch: RowBatch, rows: Range<Int>, scale: Float?, _ evidence: inout Evidence, _ pass: Pass
    ) throws(GraftError) {
        let chain = try chain(pass)
        let labels = batch.integers(.tokenLabels)
        let first = batch.range(ofRow: rows.lowerBound).lowerBound
        try labels.withUnsafeBufferPointer { labels throws(GraftError) in
            try batch.starts.withUnsafeBufferPointer { starts throws(GraftError) in
                guard let labels = labels.baseAddress, let starts = starts.baseAddress else { return }
                try chain.addLoss(
                    logits, starts: starts + rows.lowerBound, rowCount: rows.count, labels: labels + first,
                    scale: scale, loss: &evidence.loss, weight: &evidence.weight, pass)
            }
        }
    }

    func observe(
        _ logits: Matrix, _ batch: RowBatch, rows: Range<Int>, _ evidence: inout Evidence, _ pass: Pass
    ) throws(GraftError) {
        let chain = try chain(pass)
        let labels = batch.integers(.tokenLabels)
        let start = batch.range(ofRow: rows.lowerBound).lowerBound
        for row in rows {
            let tokens = batch.range(ofRow: row)
            let mark = pass.scratch.mark
            defer { pass.scratch.rewind(to: mark) }
            let best = try pass.scratch.allocate(Int32.self, count: tokens.count)
            try labels.withUnsafeBufferPointer { labels throws(GraftError) in
                guard let labels = labels.baseAddress else { return }
                try chain.decode(
                    logits.rows(from: tokens.lowerBound - start, count: tokens.count),
                    places: labels + tokens.lowerBound, into: best, isMarginal: false, pass)
            }
            for token in tokens where labels[token] >= 0 {
                evidence.choices.add(truth: labels[token], choice: best[token - tokens.lowerBound])
            }
            evidence.choices.endRow()
        }
    }
}
