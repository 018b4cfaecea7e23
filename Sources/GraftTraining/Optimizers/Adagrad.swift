import CGraftKernels
import GraftFormats
import GraftTensor

/// Adagrad (Duchi et al. 2011), as `torch.optim.Adagrad`: s ← s + g²,
/// θ ← θ − η / (1 + (t − 1) d) · g / (√s + ε).
struct Adagrad: Optimizer {
    static let name = "adagrad"
    static let decay = Setting.number(
        "lr_decay", 0, in: 0...1e6, "The learning rate is divided by 1 plus this times the updates before.")
    static let initial = Setting.number(
        "initial_accumulator_value", 0, in: 0...1e30, "Where the sums of squared gradients begin.")
    static let epsilon = Setting.number(
        "epsilon", 1e-10, in: Double(Float.leastNormalMagnitude)...1, "Added to the root of the sum.")
    static let settings = [decay, initial, epsilon, L2.setting] + RateRatios.settings

    private let decay: Double
    private let initial: Float
    private let epsilon: Float
    private let l2: Float

    init(_ settings: Settings) {
        decay = settings.number(Self.decay)
        initial = Float(settings.number(Self.initial))
        epsilon = Float(settings.number(Self.epsilon))
        l2 = L2.value(settings)
    }

    func state(count: Int) -> [StateArray] { [StateArray("sum_of_squares", count: count, initial: initial)] }

    func update(_ update: ParameterUpdate) {
        var settings = gk_adagrad(
            learning_rate: Float(update.learningRate / (1 + Double(update.number - 1) * decay)), epsilon: epsilon,
            l2: l2, gradient_scale: update.gradientScale)
        gk_adagrad_update(
            update.team.kernel, &settings, Int64(update.count), update.values, update.gradients, update.state(0))
    }
}
