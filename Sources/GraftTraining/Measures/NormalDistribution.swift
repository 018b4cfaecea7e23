import Glibc

/// The normal distribution of mean 0 and deviation 1.
enum NormalDistribution {
    /// The part that lies below a number.
    static func below(_ number: Double) -> Double { erfc(-number / 2.0.squareRoot()) / 2 }

    /// The number below which a part lies; infinite for 0 and 1. To about 1e-15: bisection narrows
    /// it down, and Newton's steps end it.
    static func quantile(_ part: Double) -> Double {
        guard part > 0, part < 1 else { return part == 0 ? -.infinity : part == 1 ? .infinity : .nan }
        // The tails are exact on the left.
        if part > 0.5 { return -quantile(1 - part) }
        var (low, high) = (-40.0, 0.0)
        for _ in 0..<20 {
            let middle = (low + high) / 2
            if below(middle) < part { low = middle } else { high = middle }
        }
        var number = (low + high) / 2
        for _ in 0..<4 {
            let density = exp(-number * number / 2) / (2 * Double.pi).squareRoot()
            let error = (below(number) - part) / density
            number -= error / (1 + number * error / 2)
        }
        return number
    }
}
