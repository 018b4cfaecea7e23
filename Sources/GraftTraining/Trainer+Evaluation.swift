import GraftLayers
import GraftTensor

extension Trainer {
    /// Measures the adapter on a data set; changes nothing.
    package func evaluate(_ dataset: RowBatch) throws(GraftError) -> (metrics: Metrics, confusion: ConfusionMatrix) {
        try check(dataset)
        let started = now()
        var confusion = ConfusionMatrix(labelCount: labelCount)
        var loss = 0.0
        var weight = 0.0
        try eachPass(dataset, learns: false) { first, count, _, logits, _ in
            crossEntropy(dataset, first, count, logits, scale: 1, writesGradient: false, &loss, &weight)
            for row in 0..<count {
                let scores = UnsafeBufferPointer(start: logits.base + row * logits.stride, count: labelCount)
                let prediction = scores.indices.max { scores[$0] < scores[$1] } ?? 0
                confusion.add(truth: Int(dataset.labels[first + row]), prediction: prediction)
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

}
