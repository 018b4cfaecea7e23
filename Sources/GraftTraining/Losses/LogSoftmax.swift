import Glibc

/// The softmax of some numbers, and its logarithm.
struct LogSoftmax {
    private let numbers: UnsafeBufferPointer<Float>
    private let logOfSum: Double

    init(_ numbers: UnsafeBufferPointer<Float>) {
        self.numbers = numbers
        let largest = Double(numbers.max() ?? 0)
        logOfSum = largest + log(numbers.reduce(0) { $0 + exp(Double($1) - largest) })
    }

    func share(_ place: Int) -> Double { exp(Double(numbers[place]) - logOfSum) }

    /// The cross-entropy against shares that are wanted, whose sum is 1, and its slopes at the
    /// numbers.
    func loss(_ slopes: UnsafeMutableBufferPointer<Float>, _ wanted: (Int) -> Double) -> Double {
        var loss = 0.0
        for place in numbers.indices {
            let share = wanted(place)
            if share > 0 { loss -= share * (Double(numbers[place]) - logOfSum) }
            slopes[place] = Float(self.share(place) - share)
        }
        return loss
    }
}
