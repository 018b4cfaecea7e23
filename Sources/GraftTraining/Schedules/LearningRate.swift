import GraftFormats
import GraftTensor

/// The learning rate over the steps: a linear rise from 0 to the peak over the warm-up, then as the
/// schedule says.
struct LearningRate {
    /// What every schedule's settings begin with.
    static let settings = [warmupRatio, warmupSteps]
    static let warmupRatio = Setting.number(
        "warmup_ratio", 0.06, in: 0...1, "Part of all steps in which the rate rises to its peak.")
    static let warmupSteps = Setting.count(
        "warmup_steps", 0, in: 0...1 << 30, "The same in steps; 0: as warmup_ratio says.")

    let peak: Double
    private let schedule: any Schedule
    private let isEndless: Bool
    private let ratio: Double
    private let steps: Int

    init(peak: Float, _ type: any Schedule.Type, _ settings: Settings) {
        self.peak = Double(peak)
        schedule = type.init(settings)
        isEndless = type.isEndless
        ratio = settings.number(Self.warmupRatio)
        steps = settings.count(Self.warmupSteps)
    }

    /// - Parameter totalSteps: 0 while it is open.
    func warmupSteps(of totalSteps: Int) -> Int {
        // Rounded up, as Hugging Face does; but 0.1 of 1000 in binary is a little more than 100,
        // which must not add a step.
        steps > 0 ? steps : Int((ratio * Double(totalSteps) * (1 - 1e-6)).rounded(.up))
    }

    /// The rate of the update that follows `step` earlier ones.
    func rate(atStep step: Int, of totalSteps: Int) -> Double {
        let warmupSteps = warmupSteps(of: totalSteps)
        if step < warmupSteps { return peak * (Double(step) / Double(max(1, warmupSteps))) }
        guard isEndless || totalSteps > 0 else { return peak }
        return schedule.rate(
            SchedulePoint(peak: peak, step: step, warmupSteps: warmupSteps, totalSteps: totalSteps))
    }
}
