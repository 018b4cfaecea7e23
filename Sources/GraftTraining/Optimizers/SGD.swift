import CGraftKernels
import GraftFormats
import GraftTensor

/// Stochastic gradient descent with momentum, as `torch.optim.SGD`: b ← μ b + g (b = g at first),
/// θ ← θ − η b; with Nesterov's momentum θ ← θ − η (g + μ b).
struct SGD: Optimizer {
    static let name = "sgd"
    static let momentum = Setting.number("momentum", 0.9, in: 0...1, "Weight of the earlier steps' velocity.")
    static let nesterov = Setting.flag("nesterov", false, "Whether a step looks ahead by its own velocity.")
    static let settings = [momentum, nesterov, L2.setting] + RateRatios.settings

    private let momentum: Float
    private let isNesterov: Bool
    private let l2: Float

    init(_ settings: Settings) {
        momentum = Float(settings.number(Self.momentum))
        isNesterov = settings.flag(Self.nesterov)
        l2 = L2.value(settings)
    }

    func state(count: Int) -> [StateArray] { momentum == 0 ? [] : [StateArray("velocity", count: count)] }

    func update(_ update: ParameterUpdate) {
        var settings = gk_sgd()
        settings.learning_rate = Float(update.learningRate)
        settings.momentum = momentum
        settings.l2 = l2
        settings.gradient_scale = update.gradientScale
        settings.nesterov = isNesterov
        settings.first_step = update.number == 1
        gk_sgd_update(
            update.team.kernel, &settings, Int64(update.count), update.values, update.gradients,
            momentum == 0 ? nil : update.state(0))
    }
}
