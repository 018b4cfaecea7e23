import Glibc
import GraftFormats

/// A cosine from the peak to 0, several times over (Loshchilov and Hutter 2017).
struct CosineWithRestarts: Schedule {
    static let name = "cosine_with_restarts"
    static let cycles = Setting.count("num_cycles", 1, in: 1...1 << 20, "How often the rate falls from its peak to 0.")
    static let settings = LearningRate.settings + [cycles]

    private let cycles: Double

    init(_ settings: Settings) { cycles = Double(settings.count(Self.cycles)) }

    func rate(_ point: SchedulePoint) -> Double {
        guard point.progress < 1 else { return 0 }
        let place = (cycles * point.progress).truncatingRemainder(dividingBy: 1)
        return point.peak * max(0, 0.5 * (1 + cos(Double.pi * place)))
    }
}
