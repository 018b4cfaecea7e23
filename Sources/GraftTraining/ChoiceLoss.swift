import CGraftKernels
import Glibc
import GraftAdapters
import GraftLayers
import GraftTensor

/// Cross-entropy of each row's or token's label, with class weights and label smoothing. A token
/// whose label is below zero does not count.
struct ChoiceLoss: DenseLoss {
    private let column: ColumnKind
    private let labelCount: Int
    private let classWeights: [Float]
    private let labelSmoothing: Float
    private let keepsScores: Bool
    let measures: [Measure]

    init(_ column: ColumnKind, _ labels: [String], _ options: TrainerOptions) {
        self.column = column
        labelCount = labels.count
        classWeights = options.classWeights
        labelSmoothing = options.labelSmoothing
        let isTagged = column.unit == .tokens && TagScheme(labels: labels) != nil
        // Probabilities of rows are kept; those of tokens would be many.
        keepsScores = column.unit == .rows && labels.count <= Scores.maximumLabels
        measures =
            (isTagged ? Choices.entityMeasures : []) + Choices.measures
            + (keepsScores ? Scores.measures + Scores.probabilityMeasures : [])
    }

    var withoutWeight: String {
        column.unit == .rows ? "all rows have class weight 0" : "no token has a label whose class weight is above 0"
    }

    /// Rows are classified right or wrong whatever their weight.
    var measuresWithoutWeight: Bool { column.unit == .rows }

    func check(_ batch: RowBatch) throws(GraftError) {
        try batch.require(column, width: 1)
        let labels = batch.integers(column)
        switch column.unit {
        case .rows:
            for (row, label) in labels.enumerated() where label < 0 || Int(label) >= labelCount {
                throw GraftError(
                    .incompatible, "row \(row) has label \(label); the head has labels 0 to \(labelCount - 1)")
            }
        case .tokens:
            for row in 0..<batch.rowCount {
                let range = batch.range(ofRow: row)
                for token in range where Int(labels[token]) >= labelCount {
                    throw GraftError(
                        .incompatible,
                        "row \(row), token \(token - range.lowerBound) has label \(labels[token]); the head has labels 0 to "
                            + "\(labelCount - 1)")
                }
            }
        }
    }

    func weight(ofRow row: Int, in batch: RowBatch) -> Double {
        let labels = batch.integers(column)
        guard column.unit == .tokens else { return weight(labels[row]) }
        return batch.range(ofRow: row).reduce(0) { $0 + weight(labels[$1]) }
    }

    private func weight(_ label: Int32) -> Double {
        label < 0 ? 0 : classWeights.isEmpty ? 1 : Double(classWeights[Int(label)])
    }

    func add(
        _ logits: Matrix, _ batch: RowBatch, rows: Range<Int>, scale: Float?, _ evidence: inout Evidence, _ pass: Pass
    ) {
        let first = batch.range(ofRow: rows.lowerBound, in: column.unit).lowerBound
        batch.integers(column).withUnsafeBufferPointer { labels in
            guard let labels = labels.baseAddress else { return }
            classWeights.withUnsafeBufferPointer { weights in
                gk_cross_entropy(
                    pass.team.kernel, Int64(logits.rows), Int64(labelCount), logits.base, Int64(logits.stride),
                    labels + first, weights.isEmpty ? nil : weights.baseAddress, labelSmoothing, scale ?? 1,
                    scale == nil ? nil : logits.base, Int64(logits.stride), &evidence.loss, &evidence.weight)
            }
        }
    }

    func observe(
        _ logits: Matrix, _ batch: RowBatch, rows: Range<Int>, _ evidence: inout Evidence, _ pass: Pass
    ) {
        let labels = batch.integers(column)
        let start = batch.range(ofRow: rows.lowerBound, in: column.unit).lowerBound
        for row in rows {
            for place in batch.range(ofRow: row, in: column.unit) where labels[place] >= 0 {
                let scores = UnsafeBufferPointer(
                    start: logits.base + (place - start) * logits.stride, count: labelCount)
                let choice = largest(scores)
                evidence.choices.add(truth: labels[place], choice: Int32(choice))
                if keepsScores {
                    evidence.scores.add(truth: labels[place], numbers: softmax(scores, most: Double(scores[choice])))
                }
            }
            if column.unit == .tokens { evidence.choices.endRow() }
        }
    }

    func evidenceByteCount(_ batch: RowBatch) -> Int {
        // What is kept, twice over since it grows, and an order of the rows for each label.
        let ofRow = MemoryLayout<Int>.size + (keepsScores ? 12 * labelCount + 32 : 0)
        return 2 * (Choices.byteCount * batch.count(column.unit) + ofRow * batch.rowCount)
    }

    private func softmax(_ logits: UnsafeBufferPointer<Float>, most: Double) -> [Double] {
        let parts = logits.map { exp(Double($0) - most) }
        let sum = parts.reduce(0, +)
        return parts.map { $0 / sum }
    }
}
