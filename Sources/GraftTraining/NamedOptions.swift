import GraftFormats
import GraftTensor

/// What the options choose by name, found and checked.
struct NamedOptions {
    let optimizer: (member: any Optimizer.Type, settings: Settings)
    let schedule: (member: any Schedule.Type, settings: Settings)
    let stepPlan: (member: any StepPlan.Type, settings: Settings)
    /// nil for that of the task.
    let loss: (member: any Loss.Type, settings: Settings)?

    init(_ options: TrainerOptions) throws(GraftError) {
        optimizer = try Optimizers.list.find(options.optimizer)
        schedule = try Schedules.list.find(options.schedule)
        stepPlan = try StepPlans.list.find(options.stepPlan)
        loss = try options.loss.map { loss throws(GraftError) in try Losses.list.find(loss) }
    }

    /// Under the names of the options.
    var recorded: JSONObject {
        var object = JSONObject()
        func add(_ name: String, _ chosen: String, _ settings: Settings) {
            object[name] = .string(chosen)
            object[name + "_settings"] = .object(settings.values)
        }
        add("optimizer", optimizer.member.name, optimizer.settings)
        add("schedule", schedule.member.name, schedule.settings)
        add("step_plan", stepPlan.member.name, stepPlan.settings)
        if let loss { add("loss", loss.member.name, loss.settings) }
        return object
    }
}
