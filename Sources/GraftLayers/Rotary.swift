import CGraftKernels
import Glibc
import GraftTensor

/// Rotary positions (Su et al. 2021): numbers i and i + d / 2 of each head turn by position · ω[i].
///
///     ω[i] = base^(-2 i / d), then scaled
///
/// x [m, heads · d], changed in place. Turning back is the gradient.
package final class Rotary: Sendable {
    /// How frequencies are stretched to longer texts than the model was first trained on.
    package enum Scaling: Equatable, Sendable {
        case none
        /// ω / factor (Chen et al. 2023).
        case linear(factor: Float)
        /// Llama 3.1: long waves as linear, short ones as they are, and a passage between.
        case llama3(factor: Float, lowFrequencyFactor: Float, highFrequencyFactor: Float, originalLength: Float)
    }

    private let headWidth: Int
    /// [d / 2].
    private let frequencies: Memory

    package init(headWidth: Int, base: Double, scaling: Scaling) throws(GraftError) {
        self.headWidth = headWidth
        frequencies = try Memory(byteCount: headWidth / 2 * 4)
        for index in 0..<headWidth / 2 {
            // Rounded where transformers rounds: at a thousand positions a different last place
            // would show.
            let exponent = Float(2 * index) / Float(headWidth)
            let plain = 1 / Float(pow(base, Double(exponent)))
            frequencies.floats()[index] = Self.scaled(plain, scaling)
        }
    }

    private static func scaled(_ frequency: Float, _ scaling: Scaling) -> Float {
        switch scaling {
        case .none: return frequency
        case .linear(let factor): return frequency / factor
        case .llama3(let factor, let low, let high, let length):
            let wavelength = 2 * Float.pi / frequency
            if wavelength < length / high { return frequency }
            if wavelength > length / low { return frequency / factor }
            let share = (length / wavelength - low) / (high - low)
            return (1 - share) * frequency / factor + share * frequency
        }
    }

    /// Turns every head of x by the positions of its rows.
    package func forward(_ x: Matrix, unit: Pass.Unit, pass: Pass) { turn(x, unit, isInverse: false, pass) }

    package func backward(_ dx: Matrix, unit: Pass.Unit, pass: Pass) { turn(dx, unit, isInverse: true, pass) }

    private func turn(_ x: Matrix, _ unit: Pass.Unit, isInverse: Bool, _ pass: Pass) {
        gk_rotate(
            pass.team.kernel, Int64(x.rows), Int32(x.columns / headWidth), Int32(headWidth), pass.positions(unit),
            frequencies.floats(), 1, isInverse, x.base, Int64(x.stride))
    }
}
