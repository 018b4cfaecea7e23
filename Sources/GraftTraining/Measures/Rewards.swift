/// What training on preferences makes of pairs of answers. An answer's reward is β times how much
/// its log-probability grew; the names are those that TRL logs, with _ for its /.
enum Rewards {
    private static let names = ["rewards_chosen", "rewards_rejected", "rewards_accuracies", "rewards_margins"]

    static let measures = names.map { name in
        Measure(name, growsWithQuality: name != "rewards_rejected") { $0.rows.mean(name, $0.repeats) }
    }

    /// Of one pair.
    static func measured(chosen: Double, rejected: Double) -> [(name: String, value: Double)] {
        zip(names, [chosen, rejected, chosen > rejected ? 1 : 0, chosen - rejected]).map { ($0, $1) }
    }
}
