import GraftFormats
import GraftTensor

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2), as
/// `torch.optim.AdamW`: θ ← θ − η λ θ, then Adam's update by the gradient alone.
struct AdamW: Optimizer {
    static let name = "adamw"
    static let weightDecay = Setting.number(
        "weight_decay", 0.01, in: 0...1e6,
        "Decoupled: each update takes this part, times the learning rate, of a parameter away.")
    static let settings = AdamMoments.settings + [weightDecay] + RateRatios.settings

    private let moments: AdamMoments
    private let weightDecay: Float

    init(_ settings: Settings) {
        moments = AdamMoments(settings)
        weightDecay = Float(settings.number(Self.weightDecay))
    }

    func state(count: Int) -> [StateArray] { moments.state(count: count) }

    func update(_ update: ParameterUpdate) { moments.update(update, weightDecay: weightDecay) }
}
