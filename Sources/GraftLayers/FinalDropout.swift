import GraftTensor

/// Dropout of a stack's last states, behind its final norm.
package struct FinalDropout: Sendable {
    private let probability: Float
    /// Which dropout of the model this is.
    private let site: Int
    private let unit: Pass.Unit

    package init(probability: Float, site: Int, unit: Pass.Unit) {
        self.probability = probability
        self.site = site
        self.unit = unit
    }

    /// Of the states, or of their gradient, in place.
    func apply(to states: Matrix, _ pass: Pass) { pass.drop(states, site: site, probability: probability, unit: unit) }
}
