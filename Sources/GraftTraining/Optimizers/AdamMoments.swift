import CGraftKernels
import GraftFormats
import GraftTensor

/// What Adam and AdamW share (Kingma and Ba 2015): running means of the gradient and of its square.
struct AdamMoments {
    static let beta1 = Setting.number("beta1", 0.9, in: 0...0.999_999_9, "Weight of the gradient's earlier mean.")
    static let beta2 = Setting.number("beta2", 0.999, in: 0...0.999_999_9, "Weight of its square's earlier mean.")
    static let epsilon = Setting.number(
        "epsilon", 1e-8, in: Double(Float.leastNormalMagnitude)...1, "Added to the root that divides the mean.")
    static let settings = [beta1, beta2, epsilon]

    private let beta1: Float
    private let beta2: Float
    private let epsilon: Float

    init(_ settings: Settings) {
        beta1 = Float(settings.number(Self.beta1))
        beta2 = Float(settings.number(Self.beta2))
        epsilon = Float(settings.number(Self.epsilon))
    }

    func state(count: Int) -> [StateArray] {
        [StateArray("first_moment", count: count), StateArray("second_moment", count: count)]
    }

    func update(_ update: ParameterUpdate, weightDecay: Float = 0, l2: Float = 0) {
        var settings = gk_adam()
        settings.learning_rate = Float(update.learningRate)
        (settings.beta1, settings.beta2, settings.epsilon) = (beta1, beta2, epsilon)
        (settings.weight_decay, settings.l2) = (weightDecay, l2)
        settings.gradient_scale = update.gradientScale
        settings.step = Int64(update.number)
        gk_adam_update(
            update.team.kernel, &settings, Int64(update.count), update.values, update.gradients, update.state(0),
            update.state(1))
    }
}
