import Glibc

/// The learning rate over the steps: a linear rise over the warm-up, then as the shape says, as Hugging Face's
/// `get_scheduler` computes it.
package struct Schedule: Sendable {
    package enum Shape: Int32, Sendable { case constant = 0, linear = 1, cosine = 2 }

    let shape: Shape
    let warmupSteps: Int
    /// 0: open, so the peak rate stays.
    let totalSteps: Int

    /// Factor of the peak rate for the update that follows `step` earlier ones.
    package func factor(atStep step: Int) -> Double {
        if step < warmupSteps { return Double(step) / Double(max(1, warmupSteps)) }
        guard shape != .constant, totalSteps > 0 else { return 1 }
        let length = Double(max(1, totalSteps - warmupSteps))
        switch shape {
        case .constant: return 1
        case .linear: return max(0, Double(totalSteps - step) / length)
        case .cosine: return max(0, 0.5 * (1 + cos(Double.pi * min(Double(step - warmupSteps) / length, 1))))
        }
    }
}
