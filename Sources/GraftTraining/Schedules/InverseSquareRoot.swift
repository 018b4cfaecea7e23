import GraftFormats

/// The peak divided by the root of the steps (Raffel et al. 2020), in units of `timescale`.
struct InverseSquareRoot: Schedule {
    static let name = "inverse_sqrt"
    static let timescale = Setting.count(
        "timescale", 0, in: 0...1 << 30,
        "After so many steps beyond the warm-up's end the rate is the peak's 1/√2; 0: the warm-up's, or 10,000.")
    static let settings = LearningRate.settings + [timescale]
    static let isEndless = true

    private let timescale: Int

    init(_ settings: Settings) { timescale = settings.count(Self.timescale) }

    func rate(_ point: SchedulePoint) -> Double {
        let scale = timescale > 0 ? timescale : point.warmupSteps > 0 ? point.warmupSteps : 10_000
        return point.peak / (Double(point.step + scale - point.warmupSteps) / Double(scale)).squareRoot()
    }
}
