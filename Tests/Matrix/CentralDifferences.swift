import GraftAdapters
import GraftLayers
import GraftTensor
import GraftTraining

/// The gradients that a trainer computes of one batch, beside the differences of its loss.
///
/// What follows from the adapter's numbers, such as DoRA's lengths, stays as it was: gradients take
/// it for constant.
package struct CentralDifferences {
    package struct Checked {
        package let tensor: String
        /// Within the tensor.
        package let index: Int
        package let gradient: Float
        /// The derivative, for each of the steps.
        package let differences: [Double]
    }

    /// For each tensor the number with the largest gradient and `others` more.
    package let checked: [[Checked]]

    /// - Parameter steps: Half the longer of two steps, which together are exact to the fourth
    ///   order. Across a kink, such as ReLU's, no difference is a gradient: small steps miss it.
    package init(_ trainer: Trainer, adapter: Adapter, _ batch: RowBatch, steps: [Float], others: Int = 0) throws {
        let gradients = try trainer.gradients(of: batch).gradients
        let content = adapter.content
        var random = RandomNumbers(seed: 1, stream: "central differences")
        checked = try content.plan.tensors.map { tensor in
            let range = tensor.parameter.offset..<tensor.parameter.offset + tensor.parameter.count
            let largest = range.max { abs(gradients[$0]) < abs(gradients[$1]) } ?? range.lowerBound
            let more = (0..<others).map { _ in range.lowerBound + random.below(range.count) }
            return try ([largest] + more).map { index in
                Checked(
                    tensor: tensor.name, index: index - range.lowerBound, gradient: gradients[index],
                    differences: try steps.map { step in
                        let value = content.values + index
                        return
                            (4 * (try Self.difference(trainer, batch, value, step))
                            - (try Self.difference(trainer, batch, value, 2 * step))) / 3
                    })
            }
        }
    }

    /// (f(x + h) - f(x - h)) / 2h, h being what the float can hold.
    private static func difference(
        _ trainer: Trainer, _ batch: RowBatch, _ value: UnsafeMutablePointer<Float>, _ step: Float
    ) throws -> Double {
        let original = value.pointee
        defer { value.pointee = original }
        value.pointee = original + step
        let (above, up) = (try trainer.gradients(of: batch).loss, value.pointee)
        value.pointee = original - step
        let (below, down) = (try trainer.gradients(of: batch).loss, value.pointee)
        return (above - below) / Double(up - down)
    }
}
