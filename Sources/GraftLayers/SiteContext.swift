import CGraftKernels
import GraftTensor

/// Where an action runs: the pass, the numbers of its adapter, and the place of the rows in the
/// whole batch.
package struct SiteContext {
    package let pass: Pass
    package let numbers: AdapterNumbers
    /// All that acts on the rows.
    package let adapter: AttachedAdapter
    package let site: Int
    /// How many layers below this one have the same module.
    let repetition: Int
    /// Index in the whole batch of the first row of x: what dropout counts by.
    package let firstRow: Int
    package let keeps: Bool
    /// Multiplies what the action changes: at 0 nothing. That of the numbers, or less of it.
    package var scale: Float

    /// Where what an action keeps for backward lives.
    package var arena: Arena { pass.arena(keeping: keeps) }
    /// Whether there are gradients to add.
    package var learns: Bool { numbers.gradients != nil }

    package func values(_ parameter: Parameter) -> UnsafeMutablePointer<Float> {
        numbers.values + parameter.offset
    }

    package func gradients(_ parameter: Parameter) -> UnsafeMutablePointer<Float>? { numbers.gradients(parameter) }

    /// Adapters' dropouts are numbered by their sites, after all of the model's own.
    private static let firstDropoutSite = 1 << 20
    /// A module that layers share drops otherwise in each.
    private static let dropoutSites = 1 << 21

    /// The adapter's own dropout of rows of `width`, or nil where nothing is dropped.
    package func dropout(probability: Float, width: Int) -> gk_dropout? {
        guard let key = pass.dropoutKey, probability > 0, numbers.gradients != nil else { return nil }
        return gk_dropout(
            key: key, first_element: UInt64(firstRow * width),
            site: UInt32(truncatingIfNeeded: Self.firstDropoutSite + site + repetition * Self.dropoutSites),
            probability: probability)
    }
}
