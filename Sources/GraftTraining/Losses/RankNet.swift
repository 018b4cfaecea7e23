import Glibc
import GraftFormats

/// −log σ(s_i − s_j) for every two rows of a group of which i has the higher target (Burges et al.
/// 2005), the mean over all such pairs: sentence-transformers' `RankNetLoss`. With natural
/// logarithms and targets of 0 and 1 it is Bayesian personalised ranking (Rendle et al. 2009).
struct RankNet: ScoreLoss {
    static let name = "rank_net"
    private static let sigma = Setting.number("sigma", 1, in: 0...1e6, "The scores' factor.")
    private static let logarithm = Setting.choice(
        "reduction_log", "binary", of: ["binary", "natural"], "The logarithm's base: 2 or e.")
    static let settings = [sigma, logarithm]

    private let sigma: Double
    private let unit: Double

    init(_ settings: Settings) {
        sigma = settings.number(Self.sigma)
        unit = settings.choice(Self.logarithm) == "binary" ? 1 / log(2) : 1
    }

    func weight(_ targets: UnsafeBufferPointer<Float>) -> Double {
        Double(targets.reduce(0) { count, target in count + targets.count { $0 < target } })
    }

    func loss(
        _ scores: UnsafeBufferPointer<Float>, _ targets: UnsafeBufferPointer<Float>,
        slopes: UnsafeMutableBufferPointer<Float>
    ) -> Double {
        slopes.update(repeating: 0)
        var loss = 0.0
        for high in scores.indices {
            for low in scores.indices where targets[high] > targets[low] {
                let difference = sigma * (Double(scores[high]) - Double(scores[low]))
                // log(1 + e^-d), where e^-d may be beyond all numbers.
                loss += unit * (max(-difference, 0) + log1p(exp(-abs(difference))))
                let slope = Float(unit * sigma / (1 + exp(difference)))
                slopes[high] -= slope
                slopes[low] += slope
            }
        }
        return loss
    }
}
