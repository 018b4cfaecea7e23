import GraftFormats
import GraftTensor

/// Once forward and backward.
struct Plain: StepPlan {
    static let name = "plain"
    static let settings: [Setting] = []

    let runsRowsAsTheyAre = true

    init(_ settings: Settings) {}

    func learn(_ rows: LearningPass, _ evidence: inout Evidence) throws(GraftError) { try rows.run(&evidence) }
}
