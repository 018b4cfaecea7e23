/// What a step or an evaluation measured. NaN marks what does not apply.
package struct Metrics: Sendable, BitwiseCopyable {
    package var loss = Double.nan
    package var accuracy = Double.nan
    package var macroF1 = Double.nan
    package var learningRate = Double.nan
    package var gradientNorm = Double.nan
    package var tokensPerSecond = Double.nan
    package var step = 0
    package var totalSteps = 0
    package var epoch = 0
    package var rowCount = 0
    package var tokenCount = 0
    package var isEvaluation = false

    package init() {}
}
