import GraftFormats
import GraftTensor

/// How parameters follow their gradients. A new one is its file and one line in `Optimizers`.
package protocol Optimizer: Chosen {
    /// What it keeps between updates of `count` parameters.
    func state(count: Int) -> [StateArray]
    /// Changes the parameters.
    func update(_ update: ParameterUpdate)
}

/// One update of parameters that are neighbours in a flat array.
package struct ParameterUpdate {
    package let count: Int
    package let values: UnsafeMutablePointer<Float>
    package let gradients: UnsafePointer<Float>
    /// What the gradients are multiplied by first: accumulation and clipping.
    package let gradientScale: Float
    package let learningRate: Double
    /// Of this update, from 1.
    package let number: Int
    package let team: Team
    /// What the optimizer keeps of all parameters, and where these begin in it.
    let kept: StateArrays
    let start: Int

    /// What it keeps of these parameters: the array at `index` of its declaration.
    package func state(_ index: Int) -> UnsafeMutablePointer<Float> { kept[index] + start }
}
