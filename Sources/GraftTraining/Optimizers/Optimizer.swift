import GraftFormats
import GraftTensor

/// How parameters follow their gradients. A new one is its file and one line in `Optimizers`.
package protocol Optimizer: Chosen {
    /// What it keeps between updates of `count` parameters.
    func state(count: Int) -> [StateArray]
    /// Changes the parameters.
    func update(_ update: ParameterUpdate)
}

/// One update of a flat array of parameters.
package struct ParameterUpdate {
    package let count: Int
    package let values: UnsafeMutablePointer<Float>
    package let gradients: UnsafePointer<Float>
    /// What the gradients are multiplied by first: accumulation and clipping.
    package let gradientScale: Float
    package let learningRate: Double
    /// Of this update, from 1.
    package let number: Int
    /// What the optimizer keeps, in the order of its declaration.
    package let state: StateArrays
    package let team: Team
}
