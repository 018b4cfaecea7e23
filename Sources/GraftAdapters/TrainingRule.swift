import GraftTensor

/// What a method does around the updates of its training, beyond the loss. A method that has one
/// puts it into its plan.
///
/// The rule itself is settings. What it remembers stands in named arrays, which the trainer holds
/// and its checkpoints keep: a training that was stopped and resumed has the same bits.
package protocol TrainingRule: Sendable {
    /// What it keeps between updates.
    var state: [StateArray] { get }
    /// Refuses a training that it cannot be the rule of, before the first update. `totalSteps` is
    /// the number of its updates, 0 while that is open.
    func check(totalSteps: Int) throws(GraftError)
    /// Before an update, once all of its gradients wait: adds those of a penalty to them, and
    /// returns the penalty, which joins the step's loss. Changes neither numbers nor state: the
    /// step may yet be refused.
    func penalize(_ update: RuleUpdate) throws(GraftError) -> Double
    /// After an update. The gradients are still there, and the numbers may be changed.
    func follow(_ update: RuleUpdate)
}

extension TrainingRule {
    package var state: [StateArray] { [] }
    package func check(totalSteps: Int) {}
    package func penalize(_ update: RuleUpdate) -> Double { 0 }
    package func follow(_ update: RuleUpdate) {}
}

/// What a rule sees of an update.
package struct RuleUpdate {
    /// The adapter's numbers, and their gradients: each one flat array, in which `Parameter` says
    /// where a tensor is.
    package let values: UnsafeMutablePointer<Float>
    package let gradients: UnsafeMutablePointer<Float>
    /// What the waiting gradients are multiplied by to be those of the mean loss, and in `follow`
    /// to be those that the update took, clipped. A penalty's are divided by it.
    package let scale: Double
    /// Of this update, from 1, and of the last one; 0 while that is open.
    package let number: Int
    package let totalSteps: Int
    /// What the rule keeps, in the order of its declaration.
    package let state: StateArrays
    package let team: Team
    /// Working memory, which the rule gives back.
    package let scratch: Arena

    package init(
        values: UnsafeMutablePointer<Float>, gradients: UnsafeMutablePointer<Float>, scale: Double, number: Int,
        totalSteps: Int, state: StateArrays, team: Team, scratch: Arena
    ) {
        self.values = values
        self.gradients = gradients
        self.scale = scale
        self.number = number
        self.totalSteps = totalSteps
        self.state = state
        self.team = team
        self.scratch = scratch
    }
}
