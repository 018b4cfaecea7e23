import Glibc
import GraftFormats

/// A cosine (Loshchilov and Hutter 2017) from the peak to a part of it, by default 0: transformers'
/// "cosine", and with `min_lr_rate` its "cosine_with_min_lr".
struct Cosine: Schedule {
    static let name = "cosine"
    static let cycles = Setting.number(
        "num_cycles", 0.5, in: 0...1e6, "Waves of the cosine; one half goes from the peak to the end.")
    static let minimum = Setting.number("min_lr_rate", 0, in: 0...1, "Part of the peak at which the cosine ends.")
    static let settings = LearningRate.settings + [cycles, minimum]

    private let cycles: Double
    private let minimum: Double

    init(_ settings: Settings) {
        cycles = settings.number(Self.cycles)
        minimum = settings.number(Self.minimum)
    }

    func rate(_ point: SchedulePoint) -> Double {
        let wave = 0.5 * (1 + cos(Double.pi * cycles * 2 * point.progress))
        return point.peak * max(0, wave * (1 - minimum) + minimum)
    }
}
