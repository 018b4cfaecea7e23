import CGraftKernels
import GraftFormats
import GraftLayers
import GraftTensor

/// Adversarial training on embeddings (Miyato et al. 2017, the fast gradient method): rows learn
/// once as they are, and once with their embeddings moved to where their loss grows, by
/// r = ε g / ‖g‖, where g is the gradient of a row's embeddings.
///
/// The gradients of both runs add up, and the loss is that of the rows as they are. What is moved
/// are the embeddings of words, before positions and norms. A step costs a second forward and
/// backward, and takes the first backward down to the embeddings.
struct FGM: StepPlan {
    static let name = "fgm"
    static let epsilon = Setting.number(
        "epsilon", 1, in: 0...1e6, "How far the embeddings of a row are moved: the length of r.")
    static let settings = [epsilon]

    let runsRowsAsTheyAre = false
    private let epsilon: Double

    init(_ settings: Settings) { epsilon = settings.number(Self.epsilon) }

    func learn(_ rows: LearningPass, _ evidence: inout Evidence) throws(GraftError) {
        let pass = rows.pass
        let width = rows.trainer.content.model.shape.embeddingWidth
        let keptDepth = pass.keptDepth
        defer {
            pass.keptDepth = keptDepth
            pass.inputGradient = nil
            pass.perturbation = nil
        }
        pass.between.rewind()
        let gradient = try pass.between.matrix(rows: pass.tokenCount, columns: width)
        pass.keptDepth = 0
        pass.inputGradient = gradient
        try rows.run(&evidence)

        pass.keptDepth = keptDepth
        pass.inputGradient = nil
        pass.perturbation = Perturbation(gradient, factors: try factors(gradient, pass))
        try rows.restart()
        var moved = Evidence()
        try rows.run(&moved)
    }

    /// What each row's gradient is multiplied by to have length ε; 0 where it has none.
    private func factors(_ gradient: Matrix, _ pass: Pass) throws(GraftError) -> UnsafePointer<Float> {
        let factors = try pass.between.allocate(Float.self, count: pass.rowCount)
        pass.eachRow(width: gradient.columns) { row, first, count in
            let length = gk_sum_of_squares(pass.team.kernel, Int64(count), gradient.base + first).squareRoot()
            factors[row] = length > 0 ? Float(epsilon / length) : 0
        }
        return UnsafePointer(factors)
    }
}
