import GraftLayers
import GraftTensor

extension Trainer {
    /// Measures the adapter on a data set; changes nothing.
    package func evaluate(_ dataset: RowBatch) throws(GraftError) -> (metrics: Metrics, confusion: ConfusionMatrix) {
        try checkDataset(dataset)
        let started = now()
        var confusion = ConfusionMatrix(labelCount: labelCount)
        var loss = 0.0
        var weight = 0.0
        try withoutGradients { () throws(GraftError) in
            try eachPass(dataset, content.attached(scale: 1)) { first, count, _, logits, _ in
                crossEntropy(
                    dataset, first, count, logits, scale: 1, writesGradient: false, &loss, &weight)
                for row in 0..<count {
                    let scores = UnsafeBufferPointer(start: logits.base + row * logits.stride, count: labelCount)
                    let prediction = scores.indices.max { scores[$0] < scores[$1] } ?? 0
                    confusion.add(truth: Int(dataset.labels[first + row]), prediction: prediction)
                }
            }
        }
        var metrics = Metrics()
        metrics.loss = weight > 0 ? loss / weight : .nan
        metrics.accuracy = confusion.accuracy
        metrics.macroF1 = confusion.macroF1
        metrics.rowCount = dataset.rowCount
        metrics.tokenCount = dataset.tokenCount
        finish(&metrics, since: started, dataset)
        return (metrics, confusion)
    }

    /// As `check`, for any number of rows.
    func checkDataset(_ dataset: RowBatch) throws(GraftError) {
        guard dataset.rowCount > 0 else { throw GraftError(.invalidArgument, "the data set has no rows") }
        guard dataset.labels.count == dataset.rowCount else {
            throw GraftError(.incompatible, "the data set's rows have no labels")
        }
        for (row, label) in dataset.labels.enumerated() where label < 0 || Int(label) >= labelCount {
            throw GraftError(
                .incompatible, "row \(row) has label \(label); the head has labels 0 to \(labelCount - 1)")
        }
        let shape = content.model.shape
        try dataset.check(
            vocabularySize: shape.vocabularySize, typeCount: shape.typeCount, maximumLength: shape.maximumLength)
    }
}
