import GraftFormats

/// The peak rate to the end: transformers' "constant_with_warmup", and without a warm-up its
/// "constant".
struct Constant: Schedule {
    static let name = "constant"
    static let settings = LearningRate.settings
    static let isEndless = true

    init(_ settings: Settings) {}

    func rate(_ point: SchedulePoint) -> Double { point.peak }
}
