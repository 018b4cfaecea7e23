import GraftFormats
import GraftTensor

/// Adam (Kingma and Ba 2015, algorithm 1), as `torch.optim.Adam`, whose weight decay is the
/// gradient's l2 here.
struct Adam: Optimizer {
    static let name = "adam"
    static let settings = AdamMoments.settings + [L2.setting] + RateRatios.settings

    private let moments: AdamMoments
    private let l2: Float

    init(_ settings: Settings) {
        moments = AdamMoments(settings)
        l2 = L2.value(settings)
    }

    func state(count: Int) -> [StateArray] { moments.state(count: count) }

    func update(_ update: ParameterUpdate) { moments.update(update, l2: l2) }
}
