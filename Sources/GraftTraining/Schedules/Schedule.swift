import GraftFormats

/// The learning rate after the warm-up, as transformers' `get_scheduler` has it under the same
/// name. A new one is its file and one line in `Schedules`.
package protocol Schedule: Chosen {
    /// The rate at a step of a training whose end is known, or of any where `isEndless`.
    func rate(_ point: SchedulePoint) -> Double
    /// Whether the rate depends on nothing but the steps so far. Others stay at the peak while the
    /// end is not known.
    static var isEndless: Bool { get }
}

extension Schedule {
    package static var isEndless: Bool { false }
}

/// A step after the warm-up, in its training.
package struct SchedulePoint {
    package let peak: Double
    /// Updates before this one.
    package let step: Int
    package let warmupSteps: Int
    package let totalSteps: Int

    /// Steps from the end of the warm-up to that of the training.
    var length: Double { Double(max(1, totalSteps - warmupSteps)) }
    /// The part of them that is over, 0 to 1.
    var progress: Double { min(Double(step - warmupSteps) / length, 1) }
}
