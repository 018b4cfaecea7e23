/// What a step or an evaluation measured. NaN marks what does not apply.
package struct Metrics: Sendable {
    package var loss = Double.nan
    package var learningRate = Double.nan
    package var gradientNorm = Double.nan
    package var tokensPerSecond = Double.nan
    package var step = 0
    package var totalSteps = 0
    package var epoch = 0
    package var rowCount = 0
    package var tokenCount = 0
    /// nil for a step.
    package var evaluation: Evaluation?

    package init() {}

    init(_ evaluation: Evaluation) {
        loss = evaluation.value(Measure.loss.name)
        rowCount = evaluation.rowCount
        tokenCount = evaluation.tokenCount
        self.evaluation = evaluation
    }
}
