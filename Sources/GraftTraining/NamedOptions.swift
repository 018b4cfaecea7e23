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
        for (option, member, settings) in all {
            object[option] = .string(member.name)
            object[option + "_settings"] = .object(settings.values)
        }
        return object
    }

    /// What holds where a record says nothing of a setting, which was added later.
    var unrecorded: JSONObject {
        var object = JSONObject()
        for (option, member, _) in all { object[option + "_settings"] = .object(member.settings.defaults) }
        return object
    }

    private var all: [(option: String, member: any Chosen.Type, settings: Settings)] {
        [
            ("optimizer", optimizer.member, optimizer.settings), ("schedule", schedule.member, schedule.settings),
            ("step_plan", stepPlan.member, stepPlan.settings),
        ] + (loss.map { [("loss", $0.member, $0.settings)] } ?? [])
    }
}
