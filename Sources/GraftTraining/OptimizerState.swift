import CGraftKernels
import GraftFormats
import GraftTensor

/// Gradients of an adapter's parameters, one flat array of the adapter's layout, with the optimizer
/// that takes them and what it keeps.
final class OptimizerState {
    let count: Int
    let gradients: UnsafeMutablePointer<Float>
    /// The optimizer's arrays.
    let kept: StateArrays
    private let optimizer: any Optimizer
    private let ratios: RateRatios
    private let memory: Memory

    /// - Parameter ratios: of the learning rates of all parameters; nil for one rate.
    init(_ optimizer: any Optimizer, count: Int, ratios: RateRatios? = nil) throws(GraftError) {
        self.optimizer = optimizer
        self.count = count
        self.ratios = ratios ?? RateRatios(count: count)
        memory = try Memory(byteCount: count * 4)
        gradients = memory.floats()
        kept = try StateArrays(optimizer.state(count: count))
    }

    /// Beyond it squares and updates would leave the range of float32.
    static let largestNorm = 1e18

    var residentByteCount: Int { memory.residentByteCount + kept.residentByteCount }

    func clearGradients() { gradients.update(repeating: 0, count: count) }

    /// Euclidean length of all gradients.
    func gradientNorm(_ team: Team) -> Double { gk_sum_of_squares(team.kernel, Int64(count), gradients).squareRoot() }

    /// What gradients of norm `norm` are multiplied by so that it is at most `maximum`, as
    /// `torch.nn.utils.clip_grad_norm_` does; 0 never clips.
    static func clipping(norm: Double, maximum: Float) -> Double {
        maximum > 0 ? min(1, Double(maximum) / (norm + 1e-6)) : 1
    }

    /// Changes `values` by `scale` times the gradients, which stay; `number` counts updates from 1.
    func update(
        _ values: UnsafeMutablePointer<Float>, scale: Double, learningRate: Double, number: Int, _ team: Team
    ) {
        for (range, ratio) in ratios.parts {
            optimizer.update(
                ParameterUpdate(
                    count: range.count, values: values + range.lowerBound,
                    gradients: UnsafePointer(gradients + range.lowerBound), gradientScale: Float(scale),
                    learningRate: ratio * learningRate, number: number,
                    team: team, kept: kept, start: range.lowerBound))
        }
    }
}
