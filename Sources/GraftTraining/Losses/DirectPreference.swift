import Glibc
import GraftFormats

/// Direct preference optimisation (Rafailov et al. 2023, eq. 7): −log σ(β d), where d is how much
/// more likely than by the reference the preferred of two answers became, less the same of the
/// other: d = (log π(chosen) − log ref(chosen)) − (log π(rejected) − log ref(rejected)).
///
/// As TRL's `DPOTrainer`, whose `loss_type` may also be `hinge`, max(0, 1 − β d) (Zhao et al.
/// 2023), or `ipo`, (d − 1 / 2β)² of means over the answers' tokens (Azar et al. 2023, eq. 17).
struct DirectPreference: Loss {
    static let name = "dpo"
    private static let beta = Setting.number(
        "beta", 0.1, in: 1e-6...1e6, "How near to the reference the model stays: a larger one, the nearer.")
    private static let smoothing = Setting.number(
        "label_smoothing", 0, in: 0...0.5, "Of sigmoid: how often the other answer may be the better one.")
    private static let free = Setting.flag(
        "reference_free", false, "Whether all answers are as likely by the reference.")
    private static let type = Setting.choice(
        "loss_type", Kind.sigmoid.rawValue, of: Kind.allCases.map(\.rawValue), "The loss of the difference.")
    static let settings = [beta, smoothing, free, type]

    private enum Kind: String, CaseIterable { case sigmoid, hinge, ipo }

    let beta: Double
    let readsReference: Bool
    private let smoothing: Double
    private let kind: Kind

    init(_ settings: Settings) {
        beta = settings.number(Self.beta)
        smoothing = settings.number(Self.smoothing)
        readsReference = !settings.flag(Self.free)
        kind = Kind(rawValue: settings.choice(Self.type)) ?? .sigmoid
    }

    /// Whether an answer's log-probability is the mean over its tokens, rather than their sum.
    var isOfMeans: Bool { kind == .ipo }

    /// Of d, and the slope there.
    func at(_ difference: Double) -> (loss: Double, slope: Double) {
        let z = beta * difference
        switch kind {
        case .sigmoid:
            return (
                (1 - smoothing) * softplus(-z) + smoothing * softplus(z),
                beta * (smoothing / (1 + exp(-z)) - (1 - smoothing) / (1 + exp(z)))
            )
        case .hinge: return (max(0, 1 - z), z < 1 ? -beta : 0)
        case .ipo:
            let distance = difference - 1 / (2 * beta)
            return (distance * distance, 2 * distance)
        }
    }

    /// log(1 + e^x), where e^x may be beyond all numbers.
    private func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
}
