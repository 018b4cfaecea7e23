import Glibc
import GraftFormats

/// From the peak to a rate at the end, by a power of the part of the steps that is left.
struct Polynomial: Schedule {
    static let name = "polynomial"
    static let end = Setting.number("lr_end", 1e-7, in: 0...1e6, "The learning rate at the end.")
    static let power = Setting.number("power", 1, in: 0...1e3, "Of the part of the steps that is left.")
    static let settings = LearningRate.settings + [end, power]

    private let end: Double
    private let power: Double

    init(_ settings: Settings) {
        end = settings.number(Self.end)
        power = settings.number(Self.power)
    }

    func rate(_ point: SchedulePoint) -> Double {
        point.step > point.totalSteps ? end : (point.peak - end) * pow(1 - point.progress, power) + end
    }
}
