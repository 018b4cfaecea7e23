import CGraftKernels
import GraftLayers
import GraftTensor

/// A module that AdaLoRA adapts: A [rank, inputs], B [outputs, rank], E [rank, 1].
struct AdaLoraModule: Sendable {
    let a: Parameter
    let b: Parameter
    let e: Parameter
    let rank: Int
    let inputs: Int
    let outputs: Int
}

/// What AdaLoRA does around updates, in PEFT's order (`AdaLoraModel`, `RankAllocator`).
///
/// Before an update, rows of A and columns of B are drawn towards being orthonormal: to the loss
/// comes weight · mean of ‖A Aᵀ − I‖ and ‖Bᵀ B − I‖. After it, the importance of each number is
/// brought up to date by what the update took, and where the schedule says so, the singular values
/// of the least important ranks of all modules together become zero. They may come back until the
/// schedule's end, and never after it.
struct AdaLoraRule: TrainingRule {
    let schedule: RankSchedule
    let modules: [AdaLoraModule]
    let smoothing: (sensitivity: Float, uncertainty: Float)
    let penalty: Double
    /// Whether what the singular values are multiplied by is the same whatever ranks are left.
    let hasAlpha: Bool
    let place: String

    private var rankCount: Int { modules.reduce(0) { $0 + $1.rank } }

    /// All numbers of the modules, which follow one another.
    private var numbers: Range<Int> {
        guard let first = modules.first, let last = modules.last else { return 0..<0 }
        return first.a.offset..<last.e.offset + last.e.count
    }

    var state: [StateArray] {
        [
            StateArray("exp_avg_ipt", count: numbers.count), StateArray("exp_avg_unc", count: numbers.count),
            StateArray("kept", count: rankCount, initial: 1), StateArray("score", count: rankCount),
        ]
    }

    func check(totalSteps: Int) throws(GraftError) {
        try schedule.check(totalSteps: totalSteps)
        guard hasAlpha else {
            throw GraftError(
                .unsupported,
                "\(place): lora_alpha is not above 0, so that PEFT scales each module by the ranks that its file "
                    + "has, which training changes; expected a number above 0")
        }
    }

    func penalize(_ update: RuleUpdate) throws(GraftError) -> Double {
        guard penalty > 0 else { return 0 }
        let share = penalty / Double(2 * modules.count)
        var total = 0.0
        for module in modules where module.rank > 0 {
            total += try penalize(a(of: module, update.values), a(of: module, update.gradients), rank: 0, share, update)
            total += try penalize(b(of: module, update.values), b(of: module, update.gradients), rank: 1, share, update)
        }
        return total
    }

    /// share · ‖G‖ with G = P Pᵀ − I, of gradient 2 · share / ‖G‖ · G P; the same of Pᵀ where the
    /// ranks are its columns (axis 1).
    private func penalize(
        _ p: Matrix, _ gradient: Matrix, rank axis: Int, _ share: Double, _ update: RuleUpdate
    ) throws(GraftError) -> Double {
        let (team, scratch) = (update.team, update.scratch)
        let mark = scratch.mark
        defer { scratch.rewind(to: mark) }
        let count = axis == 0 ? p.rows : p.columns
        let gram = try scratch.matrix(rows: count, columns: count)
        team.multiply(p, p, transposeA: axis == 1, transposeB: axis == 0, into: gram)
        for rank in 0..<count { gram.base[rank * count + rank] -= 1 }
        let norm = gk_sum_of_squares(team.kernel, Int64(gram.count), gram.base).squareRoot()
        guard norm > 0, norm.isFinite else { return share * norm }
        let scale = Float(2 * share / (norm * update.scale))
        team.multiply(
            axis == 0 ? gram : p, axis == 0 ? p : gram, scale: scale, adding: 1, into: gradient)
        return share * norm
    }

    func follow(_ update: RuleUpdate) {
        let end = schedule.end(update.totalSteps)
        if update.number < end { measure(update) }
        if let budget = schedule.budget(
            step: update.number, totalSteps: update.totalSteps, rankCount: rankCount, moduleCount: modules.count)
        {
            choose(budget, update)
            prune(update)
            guard update.number == end else { return }
            for array in 0..<2 { update.state[array].update(repeating: 0, count: numbers.count) }
        } else if update.number > end {
            prune(update)
        }
    }

    private func measure(_ update: RuleUpdate) {
        var settings = gk_importance(
            beta1: smoothing.sensitivity, beta2: smoothing.uncertainty, gradient_scale: Float(update.scale))
        gk_update_importance(
            update.team.kernel, &settings, Int64(numbers.count), update.values + numbers.lowerBound,
            update.gradients + numbers.lowerBound, update.state[0], update.state[1])
    }

    /// Keeps the most important ranks of all modules: those above the score of the k-th least, k
    /// being how many are beyond the budget. A rank's score is that of its singular value and the
    /// means of its row of A and its column of B.
    private func choose(_ budget: Int, _ update: RuleUpdate) {
        let (kept, scores) = (update.state[2], update.state[3])
        kept.update(repeating: 1, count: rankCount)
        let excess = rankCount - budget
        guard excess > 0 else { return }
        score(update)
        let threshold = Self.smallest(excess, of: scores, count: rankCount)
        for rank in 0..<rankCount where scores[rank] <= threshold { kept[rank] = 0 }
    }

    private func score(_ update: RuleUpdate) {
        let kernel = update.team.kernel
        let start = numbers.lowerBound
        var scores = update.state[3]
        for module in modules {
            let rank = module.rank
            let (sensitivity, uncertainty) = (update.state[0] - start, update.state[1] - start)
            // B has its ranks side by side, and A one after the other.
            let sums = scores
            sums.update(repeating: 0, count: rank)
            gk_add_column_products(
                kernel, Int64(module.outputs), Int64(rank), sensitivity + module.b.offset, Int64(rank),
                uncertainty + module.b.offset, Int64(rank), sums)
            for index in 0..<rank {
                let row = module.a.offset + index * module.inputs
                var ofA: Float = 0
                gk_row_products(
                    kernel, 1, Int64(module.inputs), sensitivity + row, uncertainty + row, &ofA)
                let ofE = sensitivity[module.e.offset + index] * uncertainty[module.e.offset + index]
                sums[index] = ofE + (ofA / Float(module.inputs) + sums[index] / Float(module.outputs))
            }
            scores += rank
        }
    }

    /// The k-th smallest of numbers that are not negative, whose bits are in their order.
    static func smallest(_ k: Int, of numbers: UnsafePointer<Float>, count: Int) -> Float {
        var (low, high): (UInt32, UInt32) = (0, UInt32.max >> 1)
        while low < high {
            let middle = low + (high - low) / 2
            var below = 0
            for index in 0..<count where numbers[index].bitPattern <= middle { below += 1 }
            if below >= k { high = middle } else { low = middle + 1 }
        }
        return Float(bitPattern: low)
    }

    /// Makes the singular values of ranks that are not kept zero.
    private func prune(_ update: RuleUpdate) {
        var kept = update.state[2]
        for module in modules {
            for rank in 0..<module.rank where kept[rank] == 0 {
                update.values[module.e.offset + rank] = PrunedRanks.mark
            }
            kept += module.rank
        }
    }

    private func a(of module: AdaLoraModule, _ base: UnsafeMutablePointer<Float>) -> Matrix {
        Matrix(base + module.a.offset, rows: module.rank, columns: module.inputs)
    }

    private func b(of module: AdaLoraModule, _ base: UnsafeMutablePointer<Float>) -> Matrix {
        Matrix(base + module.b.offset, rows: module.outputs, columns: module.rank)
    }
}
