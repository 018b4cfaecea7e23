import GraftAdapters
import GraftTensor

/// A method's training rule, and what it keeps.
struct TrainingRuleState {
    let rule: any TrainingRule
    let kept: StateArrays

    init(_ rule: any TrainingRule) throws(GraftError) {
        self.rule = rule
        kept = try StateArrays(rule.state)
    }
}
