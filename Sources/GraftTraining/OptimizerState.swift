import CGraftKernels
import GraftTensor

/// Gradients and moments of an adapter's parameters, each one flat array of the adapter's layout.
final class OptimizerState {
    let count: Int
    let gradients: UnsafeMutablePointer<Float>
    /// AdamW's mean of gradients, or SGD's velocity.
    let firstMoment: UnsafeMutablePointer<Float>
    let secondMoment: UnsafeMutablePointer<Float>
    private let memory: Memory

    init(count: Int) throws(GraftError) {
        self.count = count
        memory = try Memory(byteCount: 3 * count * 4)
        gradients = memory.floats()
        firstMoment = memory.floats(from: count)
        secondMoment = memory.floats(from: 2 * count)
    }

    /// Beyond it squares and updates would leave the range of float32.
    static let largestNorm = 1e18

    var residentByteCount: Int { memory.residentByteCount }

    func clearGradients() { gradients.update(repeating: 0, count: count) }

    func clearMoments() { firstMoment.update(repeating: 0, count: 2 * count) }

    /// Euclidean length of all gradients.
    func gradientNorm(_ team: Team) -> Double { gk_sum_of_squares(team.kernel, Int64(count), gradients).squareRoot() }

    /// Changes `values` by the gradients, clipped to the norm that the options allow, and clears them.
    ///
    /// - Parameters:
    ///   - share: what the gradients are multiplied by first.
    ///   - norm: of the gradients after that.
    ///   - step: updates before this one.
    func update(
        _ values: UnsafeMutablePointer<Float>, share: Double = 1, norm: Double, learningRate: Double, step: Int,
        _ options: TrainerOptions, _ team: Team
    ) {
        var scale = Float(share)
        if options.maximumGradientNorm > 0 {
            // As torch.nn.utils.clip_grad_norm_.
            scale = Float(min(1, Double(options.maximumGradientNorm) / (norm + 1e-6)) * share)
        }
        switch options.optimizer {
        case .adamW:
            var settings = gk_adamw(
                learning_rate: Float(learningRate), beta1: options.beta1, beta2: options.beta2,
                epsilon: options.epsilon, weight_decay: options.weightDecay, gradient_scale: scale,
                step: Int64(step + 1))
            gk_adamw_update(
                team.kernel, &settings, Int64(count), values, gradients, firstMoment, secondMoment)
        case .sgd:
            var settings = gk_sgd()
            settings.learning_rate = Float(learningRate)
            settings.momentum = options.momentum
            settings.weight_decay = options.weightDecay
            settings.gradient_scale = scale
            settings.first_step = step == 0
            gk_sgd_update(team.kernel, &settings, Int64(count), values, gradients, firstMoment)
        }
        clearGradients()
    }
}
