import GraftFormats

/// A straight line from the peak to 0.
struct Linear: Schedule {
    static let name = "linear"
    static let settings = LearningRate.settings

    init(_ settings: Settings) {}

    func rate(_ point: SchedulePoint) -> Double {
        point.peak * max(0, Double(point.totalSteps - point.step) / point.length)
    }
}
