import GraftFormats

/// The step plans that there are.
package enum StepPlans {
    package static let list = OpenList<any StepPlan.Type>(
        "step_plan",
        [
            Plain.self, FGM.self,
        ]
    ) { $0 }
}
