import Glibc

extension Rotary {
    /// How frequencies are stretched to longer texts than the model was first trained on.
    package enum Scaling: Equatable, Sendable {
        case none
        /// ω / factor (Chen et al. 2023).
        case linear(factor: Float)
        /// Llama 3.1: long waves as linear, short ones as they are, and a passage between.
        case llama3(factor: Float, lowFrequencyFactor: Float, highFrequencyFactor: Float, originalLength: Float)
        case yarn(Yarn)
        case longRope(LongRope)

        /// By what turned numbers are multiplied, too.
        var magnitude: Float {
            switch self {
            case .none, .linear, .llama3: 1
            case .yarn(let yarn): yarn.attentionFactor
            case .longRope(let factors): factors.attentionFactor
            }
        }

        /// From how long texts on all of their tokens turn by other frequencies; nil where they do
        /// not.
        package var border: Int? {
            if case .longRope(let factors) = self, factors.long != nil { factors.originalLength } else { nil }
        }
    }

    /// LongRoPE (Ding et al. 2024): ω[i] / short[i], of texts that are longer than those at first
    /// ω[i] / long[i].
    package struct LongRope: Equatable, Sendable {
        package let short: [Float]
        /// nil where longer texts are none of the model's.
        package let long: [Float]?
        let originalLength: Int
        let attentionFactor: Float

        package init(short: [Float], long: [Float]?, originalLength: Int, attentionFactor: Float) {
            (self.short, self.long) = (short, long)
            (self.originalLength, self.attentionFactor) = (originalLength, attentionFactor)
        }
    }

    /// YaRN (Peng et al. 2023, eq. 16 to 21): frequencies that turn less than `betaSlow` times in
    /// the original length as linear, those that turn more than `betaFast` times as they are, and a
    /// passage between.
    package struct Yarn: Equatable, Sendable {
        package let factor: Double
        let attentionFactor: Float
        let betaFast: Double
        let betaSlow: Double
        package let originalLength: Double
        /// Whether the passage begins and ends at whole indices.
        let truncates: Bool

        package init(
            factor: Double, attentionFactor: Float, betaFast: Double, betaSlow: Double, originalLength: Double,
            truncates: Bool
        ) {
            self.factor = factor
            self.attentionFactor = attentionFactor
            self.betaFast = betaFast
            self.betaSlow = betaSlow
            self.originalLength = originalLength
            self.truncates = truncates
        }

        /// The share of the frequency as it is, of index i among those of a width.
        fileprivate func plainShare(_ index: Int, width: Int, base: Double) -> Float {
            func place(_ turns: Double) -> Double {
                Double(width) * log(originalLength / (turns * 2 * Double.pi)) / (2 * log(base))
            }
            var (low, high) = (place(betaFast), place(betaSlow))
            if truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
            (low, high) = (max(low, 0), min(high, Double(width - 1)))
            if low == high { high += 0.001 }
            let ramp = (Float(index) - Float(low)) / Float(high - low)
            return 1 - min(max(ramp, 0), 1)
        }
    }

    /// ω[i] of `width` numbers, rounded where transformers rounds: at a thousand positions a
    /// different last place would show.
    ///
    /// - Parameter isLong: Whether of texts beyond the scaling's border.
    static func frequency(_ index: Int, width: Int, base: Double, _ scaling: Scaling, isLong: Bool = false) -> Float {
        let wave = Float(pow(base, Double(Float(2 * index) / Float(width))))
        let frequency = 1 / wave
        switch scaling {
        case .none: return frequency
        case .linear(let factor): return frequency / factor
        case .llama3(let factor, let low, let high, let length):
            let wavelength = 2 * Float.pi / frequency
            if wavelength < length / high { return frequency }
            if wavelength > length / low { return frequency / factor }
            let share = (length / wavelength - low) / (high - low)
            return (1 - share) * frequency / factor + share * frequency
        case .yarn(let yarn):
            let share = yarn.plainShare(index, width: width, base: base)
            return 1 / (Float(yarn.factor) * wave) * (1 - share) + frequency * share
        case .longRope(let factors): return 1 / ((isLong ? factors.long ?? factors.short : factors.short)[index] * wave)
        }
    }
}
