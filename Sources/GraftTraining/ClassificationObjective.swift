import CGraftKernels
import GraftAdapters
import GraftLayers
import GraftTensor

/// Cross-entropy of each row's label, with class weights and label smoothing.
struct ClassificationObjective: Objective {
    let labelCount: Int
    let summary: SummaryToken?
    let withoutWeight = "all rows have class weight 0"
    private let classifier: SequenceClassifier
    private let classWeights: [Float]
    private let labelSmoothing: Float

    init(_ content: AdapterContent, labelCount: Int, _ options: TrainerOptions) {
        self.labelCount = labelCount
        classifier = SequenceClassifier(model: content.model)
        summary = classifier.summary(classifier.pooling(content.plan.head))
        classWeights = options.classWeights
        labelSmoothing = options.labelSmoothing
    }

    func check(_ batch: RowBatch) throws(GraftError) {
        guard batch.labels.count == batch.rowCount else {
            throw GraftError(.incompatible, "the rows have no labels: expected one for each row, set before")
        }
        for (row, label) in batch.labels.enumerated() where label < 0 || Int(label) >= labelCount {
            throw GraftError(
                .incompatible, "row \(row) has label \(label); the head has labels 0 to \(labelCount - 1)")
        }
    }

    func weight(ofRow row: Int, in batch: RowBatch) -> Double {
        classWeights.isEmpty ? 1 : Double(classWeights[Int(batch.labels[row])])
    }

    func run(
        _ batch: RowBatch, first: Int, _ hidden: HiddenStates, scale: Float?, _ sums: inout LossSums, pass: Pass
    ) throws(GraftError) {
        let logits = try pass.kept.matrix(rows: pass.rowCount, columns: labelCount)
        let kept = try classifier.forward(hidden, into: logits, pass: pass)
        if scale == nil { count(batch, first, logits, &sums) }
        batch.labels.withUnsafeBufferPointer { labels in
            guard let labels = labels.baseAddress else { return }
            classWeights.withUnsafeBufferPointer { weights in
                gk_cross_entropy(
                    pass.team.kernel, Int64(logits.rows), Int64(labelCount), logits.base, Int64(logits.stride),
                    labels + first, weights.isEmpty ? nil : weights.baseAddress, labelSmoothing, scale ?? 1,
                    scale == nil ? nil : logits.base, Int64(logits.stride), &sums.loss, &sums.weight)
            }
        }
        guard scale != nil else { return }
        try classifier.backward(logits, kept, hidden: hidden, pass: pass)
    }

    private func count(_ batch: RowBatch, _ first: Int, _ logits: Matrix, _ sums: inout LossSums) {
        for row in 0..<logits.rows {
            let scores = UnsafeBufferPointer(start: logits.base + row * logits.stride, count: labelCount)
            sums.predictions.add(truth: Int(batch.labels[first + row]), prediction: largest(scores))
        }
    }
}
