import Glibc
import GraftTensor

/// How many ranks all modules may have together after each step of a training (Zhang et al. 2023,
/// eq. 12): all until `tinit`, then fewer along a cubic curve, and from `total_step - tfinal` on
/// `target_r` for each module. Ranks are pruned every `deltaT` steps and at the end of the curve.
struct RankSchedule: Sendable {
    private let initialSteps: Int
    private let finalSteps: Int
    private let interval: Int
    private let targetRank: Int
    /// nil for those of the training.
    private let totalSteps: Int?

    init(_ settings: NumberSettings, targetRank: Int) throws(GraftError) {
        self.targetRank = targetRank
        let steps = 0...Int(Int32.max)
        initialSteps = try settings.count("tinit", default: 0, in: steps)
        finalSteps = try settings.count("tfinal", default: 0, in: steps)
        interval = try settings.count("deltaT", default: 1, in: 1...Int(Int32.max))
        totalSteps =
            settings.isNull("total_step")
            ? nil : try settings.count("total_step", default: 0, in: 1...Int(Int32.max))
        if let totalSteps { try requireCurve(totalSteps, place: settings.place) }
    }

    /// Refuses a training without steps in which ranks are pruned.
    func check(totalSteps: Int) throws(GraftError) {
        guard self.totalSteps == nil else { return }
        guard totalSteps > 0 else {
            throw GraftError(
                .invalidArgument,
                "adalora: total_step is null, and the training has no planned end: expected total_step, or "
                    + "total_steps of the trainer")
        }
        try requireCurve(totalSteps, place: "adalora")
    }

    private func requireCurve(_ total: Int, place: String) throws(GraftError) {
        guard initialSteps < total - finalSteps else {
            throw GraftError(
                .invalidArgument,
                "\(place): tinit is \(initialSteps) and tfinal \(finalSteps) of total_step \(total), which "
                    + "leaves no steps to prune ranks in: expected tinit below total_step - tfinal")
        }
    }

    /// The step after which no more ranks are pruned.
    func end(_ totalSteps: Int) -> Int { (self.totalSteps ?? totalSteps) - finalSteps }

    /// The ranks that `moduleCount` modules with `rankCount` may have after a step, counted from 1,
    /// where it prunes; nil where not.
    func budget(step: Int, totalSteps: Int, rankCount: Int, moduleCount: Int) -> Int? {
        let end = end(totalSteps)
        guard step > initialSteps, step == end || step < end && step % interval == 0 else { return nil }
        let target = targetRank * moduleCount
        let left = 1 - Double(step - initialSteps) / Double(end - initialSteps)
        return Int(Double(rankCount - target) * pow(left, 3) + Double(target))
    }
}
